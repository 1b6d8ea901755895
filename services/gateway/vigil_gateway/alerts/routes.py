"""Alerts of a tenant, open and past: listed, exported, shown, acknowledged, muted."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BeforeValidator, ValidationError

from vigil.contract.streams import ALERTS
from vigil.core.instruction import Severity
from vigil.runtime.process.logs import get_log
from vigil_gateway.alerts import acting, export
from vigil_gateway.alerts.acting import Acting
from vigil_gateway.alerts.book import Entry, Wanted
from vigil_gateway.alerts.export import MEDIA_TYPES, Form
from vigil_gateway.alerts.life import detail
from vigil_gateway.api.errors import TooManyAlerts
from vigil_gateway.api.models.alerts import Acknowledge, AlertDetail, AlertList, AlertOut, Mute
from vigil_gateway.api.models.base import no_number
from vigil_gateway.ports import Holder, PortsOf, Tenant

log = get_log()

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

USUAL_SINCE = timedelta(days=1)
MAX_ALERTS = 500
MAX_EXPORTED = 10_000


Open = Annotated[bool | None, Query(description="Only alerts that are open, or only those that have closed")]
Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(no_number),
    Query(description="Alerts with an event since then; when left out a day ago, with `open` the oldest"),
]
Session = Annotated[str | None, Query(max_length=256, description="Only alerts of this session")]
Watch = Annotated[str | None, Query(max_length=64, description="Only alerts of watches of this name")]
OfSeverity = Annotated[Severity | None, Query(description="Only alerts that have this severity now")]
Source = Annotated[str | None, Query(max_length=64, description="Only alerts of this source, by its id")]
Acknowledged = Annotated[
    bool | None, Query(description="Only alerts that somebody has acknowledged, or only those that nobody has")
]
Limit = Annotated[int, Query(ge=1, le=MAX_ALERTS, description="At most so many")]
Before = Annotated[
    str | None, Query(pattern="^[0-9]{1,18}$", description="The `next` of an answer: its alerts began before that")
]
AlertId = Annotated[str, Path(max_length=256, description="The `alert_id` of an alert")]


async def _wanted(
    open: Open = None,  # noqa: A002  the name of the parameter
    session: Session = None,
    watch: Watch = None,
    severity: OfSeverity = None,
    source: Source = None,
    acknowledged: Acknowledged = None,
) -> Wanted:
    return Wanted(open, session, watch, severity, source, acknowledged)


AlertsWanted = Annotated[Wanted, Depends(_wanted)]


@router.get("")
async def list_alerts(
    ports: PortsOf,
    tenant: Tenant,
    wanted: AlertsWanted,
    since: Since = None,
    limit: Limit = 100,
    before: Before = None,
) -> AlertList:
    """Your alerts, those that began last first. The events of alerts are kept for 7 days."""
    book = await ports.alerts.since(tenant, since or _usual_since(wanted))
    found = book.found(wanted, None if before is None else int(before))
    return AlertList(
        alerts=list(_shown(found[:limit])), next=str(found[limit - 1].place) if len(found) > limit else None
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "One alert a row, or a line, with the fields of the list; the newest first. In CSV, text "
            "that a spreadsheet would take for a formula begins with an apostrophe",
            "content": {media_type.partition(";")[0]: {} for media_type in MEDIA_TYPES.values()},
        }
    },
)
async def export_alerts(
    ports: PortsOf,
    tenant: Tenant,
    wanted: AlertsWanted,
    since: Since = None,
    format: Annotated[Form, Query(description="`csv` or `jsonl`")] = Form.CSV,  # noqa: A002  the parameter's name
) -> StreamingResponse:
    """Your alerts as a file, at most 10,000 of them: more are refused, never left out."""
    found = (await ports.alerts.since(tenant, since or _usual_since(wanted))).found(wanted)
    if len(found) > MAX_EXPORTED:
        raise TooManyAlerts(MAX_EXPORTED)
    name = f"vigil-alerts-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.{format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(_written(found, format), media_type=MEDIA_TYPES[format], headers=headers)


@router.get("/{alert_id}")
async def show_alert(ports: PortsOf, tenant: Tenant, alert_id: AlertId) -> AlertDetail:
    """One alert with all its events, what people did about it among them, and the turn that opened it."""
    return detail(await ports.alerts.life(tenant, alert_id))


@router.post("/{alert_id}/acknowledge")
async def acknowledge_alert(
    ports: PortsOf, tenant: Tenant, holder: Holder, alert_id: AlertId, body: Acknowledge
) -> AlertOut:
    """Say that somebody sees to an open alert: an event that every subscriber hears. The first one counts; to say it
    again changes nothing. The alert goes on until it closes by itself."""
    who = Acting(tenant, alert_id, holder.name or holder.id)
    return (await acting.acknowledge(ports.bus, ports.alerts, who, body.note)).shown()


@router.post("/{alert_id}/mute")
async def mute_alert(ports: PortsOf, tenant: Tenant, holder: Holder, alert_id: AlertId, body: Mute) -> AlertOut:
    """Ask every subscriber to be quiet about an open alert for a while: an event as acknowledging is. Vigil itself
    goes on telling of the alert; whoever wakes people leaves a muted one out."""
    who = Acting(tenant, alert_id, holder.name or holder.id)
    return (await acting.mute(ports.bus, ports.alerts, who, body.minutes, body.note)).shown()


def _usual_since(wanted: Wanted) -> datetime:
    return datetime.now(UTC) - (timedelta(seconds=ALERTS.max_age_s) if wanted.is_open else USUAL_SINCE)


def _shown(entries: Iterable[Entry]) -> Iterator[AlertOut]:
    """Alerts for a client; one whose event cannot be read does not hide the others."""
    for entry in entries:
        try:
            yield entry.shown()
        except ValidationError as error:
            log.warning("alert skipped", place=entry.place, error=str(error))


async def _written(found: list[Entry], form: Form) -> AsyncIterator[bytes]:
    for part in export.parts(_shown(found), form):
        yield part
        await asyncio.sleep(0)  # other requests go on between two parts
