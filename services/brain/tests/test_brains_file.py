"""The file of brains: what it says, and a line for each mistake."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vigil.core.task import TaskRequest
from vigil_brain.brains_file import Brains, BrainsFileInvalid, decode, read
from vigil_brain.router import Condition, Rule, choose

SMALL = {"name": "small", "kind": "openai", "url": "http://127.0.0.1:9/v1", "model": "qwen"}
TASK = TaskRequest("demo", "s-1", "lobby", "s-1-0", "What is 17 times 23?")


def mistakes(kind: str, settings: Mapping[str, object]) -> list[str]:
    """As the kinds would tell them."""
    if kind != "openai":
        return [f"there is no kind {kind!r}"]
    return [f"'{name}' is missing" for name in ("url", "model") if name not in settings]


def brains(*entries: dict[str, Any], **others: object) -> Brains:
    return decode(json.dumps({"brains": entries, **others}).encode(), mistakes)


def problems(*entries: dict[str, Any], **others: object) -> tuple[str, ...]:
    with pytest.raises(BrainsFileInvalid) as caught:
        brains(*entries, **others)
    return caught.value.problems


def test_a_file_by_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret-2\n")
    monkeypatch.setenv("VIGIL_SMALL_KEY", "secret-1")
    found = brains(
        {**SMALL, "key_env": "VIGIL_SMALL_KEY", "timeout_s": 30, "concurrency": 2, "prompt": "Be brief."},
        {**SMALL, "name": "large", "key_file": str(key)},
        default="large",
        tenants={"demo": "small"},
        rules=[{"if": {"words_at_most": 12}, "brain": "small"}],
    )
    small, large = found.entries
    assert (small.spec.key, small.spec.timeout_s, small.concurrency, small.prompt) == ("secret-1", 30, 2, "Be brief.")
    assert small.spec.settings == {"url": "http://127.0.0.1:9/v1", "model": "qwen"}
    assert (large.spec.key, large.spec.timeout_s, large.concurrency) == ("secret-2", 120.0, 4)
    assert found.routes.rules == (Rule(Condition(words_at_most=12), "small"),)
    assert (found.routes.default, found.routes.tenants) == ("large", {"demo": "small"})
    assert "secret" not in repr(found)


def test_the_only_brain_is_the_default() -> None:
    assert choose(brains(SMALL).routes, TASK).brain == "small"
    assert choose(brains(SMALL, {**SMALL, "name": "large"}).routes, TASK).fault


def test_every_mistake_has_a_line() -> None:
    found = problems(
        {"name": "a brain", "kind": "openai", "url": "http://x", "model": "m"},
        {"name": "b", "kind": "oracle"},
        {"name": "c", "kind": "openai", "model": "m", "timeout_s": 0, "concurrency": 0},
        {"kind": "openai"},
        {**SMALL, "key_env": "HOME"},
        {**SMALL, "name": "d", "key_env": "VIGIL_NOT_SET_ANYWHERE"},
        {**SMALL, "name": "e", "key_file": "/nowhere/key"},
        {**SMALL, "name": "f", "key_env": "VIGIL_X", "key_file": "/nowhere/key"},
        default="nobody",
        tenants={"demo": "nobody"},
        rules=[{"if": {}, "brain": "nobody"}],
    )
    text = "\n".join(found)
    for wrong in (
        "brain 'a brain': name 'a brain' is not allowed",
        "brain 'b': there is no kind 'oracle'",
        "brain 'c': 'url' is missing",
        "brain 'c': 'timeout_s' is 0",
        "brain 'c': 'concurrency' is 0",
        "brain 4: Object missing required field `name`",
        "brain 'small': its key cannot be read: the variable HOME does not begin with VIGIL_",
        "brain 'd': its key is empty: VIGIL_NOT_SET_ANYWHERE",
        "brain 'e': the key file /nowhere/key cannot be read",
        "brain 'f': give 'key_env' or 'key_file', not both",
        "'default': there is no brain 'nobody'",
        "tenant 'demo': there is no brain 'nobody'",
        "rule 1: there is no brain 'nobody'",
    ):
        assert wrong in text
    assert len(found) == 13


def test_a_name_stands_once() -> None:
    assert problems(SMALL, SMALL) == ("brain 'small' stands there twice",)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"brains": 1}', '{"brains": [], "brain": 1}', "[" * 9_000])
def test_what_is_no_such_file_is_told(text: str) -> None:
    with pytest.raises(BrainsFileInvalid, match="it is not valid"):
        decode(text.encode(), mistakes)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BrainsFileInvalid, match="cannot be read"):
        read(tmp_path / "nothing.json", mistakes)
