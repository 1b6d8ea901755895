"""What happens to the sessions of a tenant, as its modules hear it."""

from dataclasses import dataclass, field

from vigil_client.cloudevents import Json, envelope
from vigil_client.errors import BadMessage


@dataclass(frozen=True, slots=True)
class SessionNews:
    """One event of a session's life: `event` is requested, started, moved, changed, stalled, recovered, source_lost,
    source_back or ended, `reason` a sentence, `source_id` the camera."""

    event: str
    session: str
    source_id: str
    reason: str
    raw: Json = field(default_factory=dict, repr=False)


def session_news(payload: bytes) -> SessionNews:
    """Read an event of a session's life. Raises `BadMessage`."""
    event, data = envelope(payload)
    try:
        what = str(event["type"]).rpartition(".")[2]
        return SessionNews(what, data["session"], data["source_id"], data["reason"], event)
    except KeyError as error:
        raise BadMessage(f"not an event of a session of Vigil ({error!r})") from None
