"""Messages name commands that exist where they are read."""

import pytest

from vigil_client.commands.hints import VARIABLE, typed
from vigil_client.testing.command import invoked

COMPOSE = "docker compose -f deploy/compose.yaml"


@pytest.mark.parametrize(
    ("text", "in_compose"),
    [
        ("`vigil sessions end s-1` ends it", f"`{COMPOSE} run --rm cli sessions end s-1` ends it"),
        (
            "choose another name, or use `vigil keys rotate`",
            f"choose another name, or use `{COMPOSE} run --rm keys rotate`",
        ),
        ("`vigil modules` lists them", f"`{COMPOSE} run --rm modules` lists them"),
        (
            "start it with `vigil up`, or …",
            f"start it with `{COMPOSE} up -d` (with each layer that you use: -f …), or …",
        ),
        ("`vigil up --engine-url URL`", "`vigil up --engine-url URL`"),
        ("`vigil doctor` says why", "`.venv/bin/vigil doctor --compose` says why"),
        ("no command", "no command"),
    ],
)
def test_a_command_is_named_as_it_is_typed(text: str, in_compose: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert typed(text) == text
    monkeypatch.setenv(VARIABLE, COMPOSE)
    assert typed(text) == in_compose


def test_an_error_of_a_command_in_a_container_names_what_can_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, COMPOSE)
    done = invoked("sessions", "list", "--gateway", "http://127.0.0.1:9", "--api-key", "k")
    assert done.status == 1
    assert f"start Vigil with `{COMPOSE} up -d`" in done.output
