"""A tenant's wall as it leaves through server-sent events: `event` is the event's name, `data` its JSON."""

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from vigil.core.control import Action
from vigil.core.instruction import Severity
from vigil_gateway.api.models.base import Out
from vigil_gateway.api.models.events import CloudEventOut, EndOut
from vigil_gateway.api.models.options import SourceOut


class TileState(StrEnum):
    """How a session is."""

    STARTING = "starting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    STALLED = "stalled"
    CAPACITY = "capacity"
    ENDED = "ended"


class TileDecision(Out):
    """The newest decision of a session, in short."""

    sequence: int
    time_s: float
    capture_time: datetime
    action: Action
    spoke: bool
    text: str
    p: dict[str, float] | None
    latency_ms: float
    malformed: str


class TileAlert(Out):
    """An alert that is open."""

    alert_id: str
    watch: str
    severity: Severity
    text: str
    opened_at: datetime = Field(description="Capture time of the frame that opened it")


class TileOut(Out):
    """One session on the wall. Its newest picture is at `/v1/sessions/{session}/turns/newest/frames/0`."""

    session: str
    name: str = Field(description="The source's name for people, or its id where it has none")
    source: SourceOut
    state: TileState = Field(
        description="starting: nothing was decided yet; live; reconnecting: its source shows nothing and is opened "
        "again and again; stalled: nothing is decided for another reason; capacity: no worker has room for it; ended"
    )
    detail: str = Field(description="What is wrong, as a sentence; empty when nothing is")
    last: TileDecision | None = Field(description="Its newest decision; null before the first")
    time_s: float | None = Field(description="Model time of its newest decision; null before the first")
    alerts: list[TileAlert] = Field(description="Its open alerts, the oldest first")


class WallStatusOut(Out):
    """What the stream begins with, and what it says again when it changes: how many sessions are open, and how many
    events of each kind this client was too slow for. A client that comes back gets every tile anew."""

    sessions: int
    dropped: dict[str, int]


# The data of each event, by the event's name. `status` comes first, then a `tile` for each open session.
DATA: dict[tuple[str, ...], type[Out]] = {
    ("status",): WallStatusOut,
    ("tile",): TileOut,
    ("alert", "session", "approval"): CloudEventOut,
    ("end",): EndOut,
}
