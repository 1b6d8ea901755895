"""What the brains file may say of each kind, and how mistakes in it are told."""

import pytest

from vigil_brain.brains.kinds import KINDS, mistakes, open_brain
from vigil_brain.brains.port import BrainError
from vigil_brain.brains.spec import BrainSpec

GOOD: dict[str, dict[str, object]] = {
    "openai": {"url": "https://api.example/v1", "model": "m", "pictures": 0, "temperature": 0.2},
    "responses": {"url": "https://api.example/v1", "model": "m"},
    "a2a": {"url": "https://agent.example"},
    "hermes": {"url": "http://127.0.0.1:8642"},
    "openclaw": {"url": "http://127.0.0.1:18789", "api": "hook", "is_confined": True},
    "command": {"command": ["/opt/agent/run"], "folders": ["/opt/agent"], "memory_mib": 512},
    "embedded": {"threads": 2},
}


def test_every_kind_has_an_example_here() -> None:
    assert GOOD.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_settings_that_are_right_have_no_mistakes(kind: str) -> None:
    assert mistakes(kind, GOOD[kind]) == []


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("oracle", {}, ["there is no kind 'oracle'"]),
        ("openai", {}, ["'url' is missing", "'model' is missing"]),
        ("openai", {"url": "ftp://x/v1", "model": "m", "modell": 1}, ["has no 'modell'", "neither http"]),
        ("openai", {"url": "https://u:p@x/v1", "model": "m"}, ["holds a password"]),
        ("openai", {"url": "http://x/v1", "model": 3, "pictures": -1}, ["'model': Expected `str`", "'pictures'"]),
        ("openai", {"url": "http://x", "model": "m", "tools": [{"name": "desk", "url": "x"}]}, ["'tools': the url"]),
        ("openai", {"url": "http://x", "model": "m", "tools": [{"name": "A b", "url": "http://x"}]}, ["'tools'"]),
        ("command", {"command": []}, ["'command'"]),
        ("command", {"command": ["x"], "folders": ["/", "opt", "/etc"]}, ["open the sandbox", "absolute", "too much"]),
        ("openclaw", {"url": "http://x", "api": "ws"}, ["'api'"]),
    ],
)
def test_each_mistake_is_one_line(kind: str, settings: dict[str, object], said: list[str]) -> None:
    found = mistakes(kind, settings)
    assert len(found) == len(said)
    for line, part in zip(found, said, strict=True):
        assert part in line


async def test_a_brain_that_is_not_installed_says_what_to_do() -> None:
    with pytest.raises(BrainError, match="run make brain") as caught:
        async with open_brain(BrainSpec("local", "embedded", {"folder": "/nowhere"})):
            raise AssertionError("it was opened")
    assert "VIGIL_BRAINS_FILE" in caught.value.reason
    assert not caught.value.is_transient
