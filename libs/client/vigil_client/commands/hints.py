"""The commands that messages name, as their reader types them: beside a container there is no `vigil` to type."""

import os
import re

# What `deploy/compose.yaml` gives the containers of its commands: `docker compose -f deploy/compose.yaml`.
VARIABLE = "VIGIL_COMPOSE"
_COMMAND = re.compile(r"`vigil (?P<name>[a-z]+)(?P<rest>[^`]*)`")
_OWN_CONTAINER = ("keys", "modules")


def typed(text: str) -> str:
    """`text` with every `` `vigil …` `` in it as its reader types it."""
    compose = os.environ.get(VARIABLE, "")  # noqa: TID251  no setting of a service: how this command was started
    return _COMMAND.sub(lambda found: _in_compose(compose, found), text) if compose else text


def _in_compose(compose: str, found: re.Match[str]) -> str:
    name, rest = found["name"], found["rest"]
    match name:
        case "up":
            return f"`{compose} up -d` (with each layer that you use: -f …)" if not rest else found[0]
        case "doctor":
            return "`.venv/bin/vigil doctor --compose`"
        case _ if name in _OWN_CONTAINER:
            return f"`{compose} run --rm {name}{rest}`"
        case _:
            return f"`{compose} run --rm cli {name}{rest}`"
