"""A tenant's wall, as the gateway streams it, read into values: every open session at a glance."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vigil_client import cloudevents
from vigil_client.cloudevents import Alert, ApprovalEvent
from vigil_client.errors import BadMessage
from vigil_client.events import Connection, Lifecycle, lifecycle
from vigil_client.sse import ServerEvent
from vigil_client.values import Source, read


@dataclass(frozen=True, slots=True)
class TileDecision:
    """A session's newest decision, in short; see `Decision`."""

    sequence: int
    time_s: float
    capture_time: datetime
    action: str
    spoke: bool
    text: str
    p: Mapping[str, float] | None
    latency_ms: float
    malformed: str


@dataclass(frozen=True, slots=True)
class TileAlert:
    """An alert that is open."""

    alert_id: str
    watch: str
    severity: str
    text: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Tile:
    """A session as it stands. `state` is starting, live, reconnecting, stalled, capacity (no worker has room for it) or
    ended; `detail` says what is wrong. `last` and `time_s` (model time) are None before the first decision."""

    session: str
    name: str
    source: Source
    state: str
    detail: str
    last: TileDecision | None
    time_s: float | None
    alerts: tuple[TileAlert, ...]


@dataclass(frozen=True, slots=True)
class WallStatus:
    """How many sessions are open, and how many events of each kind this client was too slow for. It comes first in each
    connection; then comes a tile for every open session, whatever was sent before."""

    sessions: int
    dropped: Mapping[str, int]


WallEvent = Tile | WallStatus | Alert | ApprovalEvent | Lifecycle | Connection


def read_wall_event(received: ServerEvent) -> WallEvent | None:
    """The event's value; None for a kind that is newer than this client. Raises `BadMessage`."""
    match received.kind:
        case "tile":
            return read(Tile, _json(received.data))
        case "status":
            return read(WallStatus, _json(received.data))
        case "alert":
            return cloudevents.alert(received.data)
        case "session":
            return lifecycle(received.data)
        case "approval":
            return cloudevents.approval(received.data)
        case _:
            return None


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise BadMessage("the event is not JSON") from None
