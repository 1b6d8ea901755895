"""A session's live events, as the gateway streams them, read into values."""

import json
from dataclasses import dataclass
from typing import Any

from vigil_client import cloudevents
from vigil_client.cloudevents import Alert, Utterance
from vigil_client.errors import BadMessage
from vigil_client.sse import ServerEvent

# The states of a role that need no words.
WELL = ("", "watching")


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model decided in one turn. `time_s` is model time; `latency_ms` is from capture to emission.

    Probabilities are None where the engine gives none. `frames_skipped` counts stale frames passed over before it.
    """

    sequence: int
    time_s: float
    action: str
    text: str
    latency_ms: float
    engine_ms: float
    p_silent: float | None = None
    p_speak: float | None = None
    p_delegate: float | None = None
    frames_skipped: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    request_bytes: int = 0
    malformed: str = ""


@dataclass(frozen=True, slots=True)
class RoleStatus:
    """What is not well with the session, such as a camera that is being reconnected; empty when all is."""

    text: str


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The session was started, moved to another worker, or ended."""

    kind: str
    reason: str

    @property
    def ended(self) -> bool:
        """Whether the session is over."""
        return self.kind == "ended"


@dataclass(frozen=True, slots=True)
class Connection:
    """The stream itself was opened, or cut for `reason` and will be opened again."""

    connected: bool
    reason: str = ""


Event = Decision | Utterance | Alert | Lifecycle | RoleStatus | Connection


def read_event(received: ServerEvent) -> Event | None:
    """The event's value; None for a kind that is newer than this client. Raises `BadMessage`."""
    match received.kind:
        case "decision":
            return decision(received.data)
        case "utterance":
            return cloudevents.utterance(received.data)
        case "alert":
            return cloudevents.alert(received.data)
        case "session":
            return lifecycle(received.data)
        case "status":
            return RoleStatus(status_line(_object(received.data)))
        case _:
            return None


def decision(text: str) -> Decision:
    """Read a decision. Raises `BadMessage`."""
    data = _object(text)
    p = data.get("p") or {}
    try:
        return Decision(
            sequence=int(data["sequence"]),
            time_s=float(data["time_s"]),
            action=str(data["action"]),
            text=str(data["text"]),
            latency_ms=float(data["latency_ms"]),
            engine_ms=float(data["engine_ms"]),
            p_silent=p.get("silent"),
            p_speak=p.get("speak"),
            p_delegate=p.get("delegate"),
            frames_skipped=int(data.get("frames_skipped", 0)),
            prompt_tokens=int(data.get("prompt_tokens", 0)),
            cached_tokens=int(data.get("cached_tokens", 0)),
            request_bytes=int(data.get("request_bytes", 0)),
            malformed=str(data.get("malformed", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadMessage(f"not a decision event of Vigil ({error!r})") from None


def lifecycle(text: str) -> Lifecycle:
    """Read a session event (a CloudEvent of type `vigil.session.*`). Raises `BadMessage`."""
    event = _object(text)
    kind = str(event.get("type", ""))
    data = event.get("data")
    if not kind.startswith("vigil.session.") or not isinstance(data, dict):
        raise BadMessage("not a session event of Vigil")
    return Lifecycle(kind.rpartition(".")[2], str(data.get("reason") or ""))


def status_line(status: dict[str, Any]) -> str:
    """What the roles say, on one line; what is well is left out: a camera that is watched needs no words.

    Raises `BadMessage`.
    """
    roles = status.get("roles", "")
    if roles is None:
        return "the gateway cannot read how the session is"
    if not isinstance(roles, dict):
        raise BadMessage("not a status event of Vigil")
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
