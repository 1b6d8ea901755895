"""Alerts of a tenant, open and past, read from their stream."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BeforeValidator, ValidationError

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.streams import ALERTS
from vigil.runtime.bus.client import Bus, Page
from vigil.runtime.process.logs import get_log
from vigil_gateway.api.errors import TooManyAlertEvents
from vigil_gateway.api.models.alerts import AlertList, AlertOut
from vigil_gateway.ports import PortsOf, Tenant
from vigil_gateway.sessions.alert_book import AlertBook, Entry

log = get_log()

router = APIRouter(prefix="/v1/alerts", tags=["alerts"])

PAGE = 1_000
MAX_EVENTS = 50_000  # that one request has read: seconds of this process's time
USUAL_SINCE = timedelta(days=1)
MAX_ALERTS = 500


def _no_number(value: object) -> object:
    """A bare number is refused: pydantic would take it for seconds since 1970."""
    if isinstance(value, str) and value.strip("+- .0123456789") == "":
        raise ValueError("write a date and a time with its zone, such as 2026-01-31T12:00:00Z")
    return value


Open = Annotated[bool | None, Query(description="Only alerts that are open, or only those that have closed")]
Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(_no_number),
    Query(description="Alerts with an event since then; when left out a day ago, with `open` the oldest"),
]
Session = Annotated[str | None, Query(max_length=256, description="Only alerts of this session")]
Limit = Annotated[int, Query(ge=1, le=MAX_ALERTS, description="At most so many")]
Before = Annotated[
    str | None, Query(pattern="^[0-9]{1,18}$", description="The `next` of an answer: its alerts began before that")
]


@router.get("")
async def list_alerts(
    ports: PortsOf,
    tenant: Tenant,
    open: Open = None,  # noqa: A002  the name of the parameter
    since: Since = None,
    session: Session = None,
    limit: Limit = 100,
    before: Before = None,
) -> AlertList:
    """Your alerts, those that began last first. The events of alerts are kept for 7 days."""
    oldest = datetime.now(UTC) - (timedelta(seconds=ALERTS.max_age_s) if open else USUAL_SINCE)
    book = await read_alerts(ports.bus, tenant, since or oldest)
    found = book.found(is_open=open, session=session, before=None if before is None else int(before))
    shown = [alert for entry in found[:limit] if (alert := _shown(entry)) is not None]
    return AlertList(alerts=shown, next=str(found[limit - 1].place) if len(found) > limit else None)


async def read_alerts(
    bus: Bus, tenant: str, since: datetime, *, page_size: int = PAGE, most: int = MAX_EVENTS
) -> AlertBook:
    """The alerts of all of the tenant's events since then. Raises `TooManyAlertEvents` when these are more than `most`,
    and `BusError`."""
    book, count, has_more = AlertBook(), 0, True
    begin: int | datetime = since
    while has_more:
        page = await bus.stored(ALERTS, subjects.alerts_of(tenant), begin, page_size)
        count += len(page.messages)
        if count > most:
            raise TooManyAlertEvents(most)
        _take(book, page)
        has_more = page.has_more and bool(page.messages)
        if has_more:
            begin = page.messages[-1].sequence + 1
    return book


def _take(book: AlertBook, page: Page) -> None:
    for message in page.messages:
        try:
            book.read(message.payload, message.sequence)
        except InvalidMessage as error:
            log.warning("bus message rejected", subject=message.subject, error=str(error))


def _shown(entry: Entry) -> AlertOut | None:
    try:
        return entry.shown()
    except ValidationError as error:
        log.warning("alert skipped", place=entry.place, error=str(error))
        return None
