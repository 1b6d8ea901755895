"""A tenant's alerts over REST: listed, shown, acknowledged, muted, exported."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Literal, TypedDict, Unpack
from urllib.parse import quote, urlencode

from vigil_client.transport import Transport
from vigil_client.values import AlertDetail, AlertPage, AlertRecord, read

PATH = "/v1/alerts"
MUTE_MINUTES = 30


class Selection(TypedDict, total=False):
    """Which alerts: `is_open` those that are open (or have closed), `since` those that had an event since then (a time
    with its zone; a day ago when left out, the oldest for open ones), `acknowledged` those that somebody acknowledged
    (or nobody did), and those of one `session`, `watch`, `severity` or `source` (its id). None selects nothing."""

    is_open: bool | None
    since: datetime | None
    session: str | None
    watch: str | None
    severity: str | None
    source: str | None
    acknowledged: bool | None


class Alerts:
    """The alerts of the tenant whose key the client has. Every call raises what the client's own calls raise."""

    def __init__(self, gateway: Transport) -> None:
        self._gateway = gateway

    async def __call__(
        self, *, limit: int | None = None, before: str | None = None, **selected: Unpack[Selection]
    ) -> AlertPage:
        """A page of alerts, those that began last first; `before` is the `next` of another page."""
        query = _query(selected, limit=limit, before=before)
        return read(AlertPage, await self._gateway.call("GET", PATH + query))

    async def show(self, alert_id: str) -> AlertDetail:
        """One alert with all its events, and the turn that opened it."""
        return read(AlertDetail, await self._gateway.call("GET", _path(alert_id)))

    async def acknowledge(self, alert_id: str, note: str = "") -> AlertRecord:
        """Say to every subscriber that somebody sees to an open alert. The first one counts; again changes nothing. One
        that has closed is `Invalid`, one that is not there `NotFound`."""
        return read(AlertRecord, await self._gateway.call("POST", f"{_path(alert_id)}/acknowledge", {"note": note}))

    async def mute(self, alert_id: str, minutes: int = MUTE_MINUTES, note: str = "") -> AlertRecord:
        """Ask every subscriber to be quiet about an open alert for so many minutes; 0 ends a mute."""
        body = {"minutes": minutes, "note": note}
        return read(AlertRecord, await self._gateway.call("POST", f"{_path(alert_id)}/mute", body))

    async def export(
        self, form: Literal["csv", "jsonl"] = "csv", **selected: Unpack[Selection]
    ) -> AsyncIterator[bytes]:
        """The alerts as a file, part by part: CSV for spreadsheets, or an object of JSON a line. More than 10,000 are
        `Invalid`."""
        async with self._gateway.request("GET", f"{PATH}/export" + _query(selected, format=form)) as response:
            async for part in response.content.iter_any():
                yield part


def _query(selected: Selection, **asked: object) -> str:
    since, is_open, acknowledged = selected.get("since"), selected.get("is_open"), selected.get("acknowledged")
    asked |= {
        "open": _flag(is_open),
        "since": None if since is None else since.isoformat(),
        "acknowledged": _flag(acknowledged),
        **{name: selected.get(name) for name in ("session", "watch", "severity", "source")},
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return f"?{urlencode(given)}" if given else ""


def _flag(value: bool | None) -> str | None:
    return None if value is None else str(value).lower()


def _path(alert_id: str) -> str:
    """The path of an alert; an id that a person mistyped must not become another path."""
    return f"{PATH}/{quote(alert_id, safe='')}"
