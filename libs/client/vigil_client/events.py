"""A session's live events, as the gateway streams them, read into values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vigil_client import cloudevents, speech
from vigil_client.cloudevents import Alert, ApprovalEvent, Delegation, MemoryNews, TaskNews, Utterance
from vigil_client.errors import BadMessage
from vigil_client.speech import SpeechNews, Transcript
from vigil_client.sse import ServerEvent
from vigil_client.values import read

# The states of a role that need no words.
WELL = ("", "watching", "deciding")


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model decided in one turn. `time_s` is model time; `latency_ms` is from capture to emission.

    `p` has the probability of each action, and is None where the engine gives none. `spoke` says whether the words are
    uttered: a `duplicate` of what was said a moment ago is not. `frames_skipped` counts stale pictures passed over.
    `task` is the id of the task that answers a delegated question, empty for every other action. `observed` is what
    modules noticed, as the model was told it in this turn, line by line: take it as data.
    """

    sequence: int
    session: str
    time_s: float
    capture_time: datetime
    emit_time: datetime
    latency_ms: float
    action: str
    spoke: bool
    text: str
    question: str
    p: Mapping[str, float] | None
    malformed: str
    frames_skipped: int
    engine_ms: float
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    request_bytes: int
    prefix_share: float
    duplicate: bool
    task: str
    observed: tuple[str, ...] = ()

    @property
    def p_speak(self) -> float | None:
        """Probability that the model speaks."""
        return None if self.p is None else self.p.get("speak")


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """What is not well with the session, such as a camera that is being reconnected; empty when all is."""

    text: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Something happened to the session: it was requested, started, moved, changed, it stalled or recovered, its source
    was lost or is back (`source_lost`, `source_back`), or it ended. `cause` is one word for why it stalled, or for what
    is wrong with its source."""

    kind: str
    reason: str
    cause: str = ""
    session: str = ""

    @property
    def ended(self) -> bool:
        """Whether the session is over."""
        return self.kind == "ended"


@dataclass(frozen=True, slots=True)
class Connection:
    """The stream itself was opened, or cut for `reason` and will be opened again."""

    connected: bool
    reason: str = ""


Event = (
    Decision
    | Utterance
    | Alert
    | Delegation
    | TaskNews
    | ApprovalEvent
    | MemoryNews
    | Transcript
    | SpeechNews
    | Lifecycle
    | RoleStatus
    | Connection
)


def read_event(received: ServerEvent) -> Event | None:
    """The event's value; None for a kind that is newer than this client. Raises `BadMessage`."""
    match received.kind:
        case "decision":
            return decision(received.data)
        case "utterance":
            return cloudevents.utterance(received.data)
        case "alert":
            return cloudevents.alert(received.data)
        case "delegation":
            return cloudevents.task_event(received.data)
        case "approval":
            return cloudevents.approval(received.data)
        case "memory":
            return cloudevents.memory(received.data)
        case "transcript":
            return speech.transcript(received.data)
        case "speech":
            return speech.speech(received.data)
        case "session":
            return lifecycle(received.data)
        case "status":
            return RoleStatus(status_line(_object(received.data)))
        case _:
            return None


def decision(text: str) -> Decision:
    """Read a decision. Raises `BadMessage`."""
    return read(Decision, _object(text))


def lifecycle(text: str) -> Lifecycle:
    """Read a session event (a CloudEvent of type `vigil.session.*`). Raises `BadMessage`."""
    event = _object(text)
    kind = str(event.get("type", ""))
    data = event.get("data")
    if not kind.startswith("vigil.session.") or not isinstance(data, dict):
        raise BadMessage("not a session event of Vigil")
    reason, cause, session = (str(data.get(name) or "") for name in ("reason", "cause", "session"))
    return Lifecycle(kind.rpartition(".")[2], reason, cause, session)


def status_line(status: dict[str, Any]) -> str:
    """What the roles say, on one line; what is well is left out: a camera that is watched needs no words.

    Raises `BadMessage`.
    """
    roles = status.get("roles", "")
    if roles is None:
        return "the gateway cannot read how the session is"
    if not isinstance(roles, dict):
        raise BadMessage("not a status event of Vigil")
    return roles_line(roles)


def roles_line(roles: Mapping[str, Any]) -> str:
    """What is not well, role by role: of a status event, or of `Session.status`. Empty when all is well."""
    return "; ".join(line for role, said in roles.items() if (line := _role_line(role, said)))


def _role_line(role: str, said: object) -> str:
    words = said if isinstance(said, dict) else {"state": said}
    state, detail = str(words.get("state") or ""), str(words.get("detail") or "")
    if state in WELL and not detail:
        return ""
    return f"{role} {state}" + (f": {detail}" if detail else "")


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise BadMessage("the event is not JSON") from None
    if not isinstance(value, dict):
        raise BadMessage("the event is not a JSON object")
    return value
