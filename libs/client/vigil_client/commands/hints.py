"""The commands that messages name: those that a person at a terminal types next, in the place of the gateway's paths,
and as they are typed. Beside a container there is no `vigil` to type."""

import os
import re

from vigil_client.errors import ClientError, Refused

# What `deploy/compose.yaml` gives the containers of its commands: `docker compose -f deploy/compose.yaml`.
VARIABLE = "VIGIL_COMPOSE"
_COMMAND = re.compile(r"`vigil (?P<name>[a-z]+)(?P<rest>[^`]*)`")
_OWN_CONTAINER = ("keys", "modules")
# What to do about a refusal, by its kind. The gateway's own words name paths of its API.
STEPS = {
    "unknown_session": "`vigil sessions` lists your sessions",
    "unknown_alert": "`vigil alerts` lists your alerts; their events are kept 7 days",
    "alert_closed": "nothing is left to do: `vigil alerts --open` lists the open ones",
    "unknown_task": "`vigil tasks SESSION` lists the session's tasks",
    "unknown_approval": "`vigil approve --all` lists them; they are kept an hour",
    "unknown_pattern": "`vigil approve --patterns` lists them",
    "not_heard": "`vigil sessions change SESSION --modules --module NAME` has the session hear the module",
}


def next_step(error: ClientError) -> str:
    """What a person at a terminal does about an error."""
    step = STEPS.get(error.kind, error.next_step) if isinstance(error, Refused) else error.next_step
    return typed(step)


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
