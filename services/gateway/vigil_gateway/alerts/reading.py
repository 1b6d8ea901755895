"""Alerts of a tenant, read from their stream.

The stream has no index: what is asked for is found by reading. A tenant has `AT_ONCE` such reads at a time, the others
wait, so that one tenant's lists neither fill this process's memory nor keep other tenants waiting.
"""

from asyncio import Semaphore
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage, InvalidSubject
from vigil.contract.streams import ALERTS
from vigil.contract.subject_tokens import AlertAction
from vigil.contract.subject_values import AlertSubject, parse
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus, Place, StoredMessage
from vigil.runtime.process.logs import get_log
from vigil_gateway.alerts.book import AlertBook, Entry
from vigil_gateway.api.errors import TooManyAlertEvents, UnknownAlert

log = get_log()

PAGE = 1_000
MAX_EVENTS = 50_000  # that one request has read: seconds of this process's time
MAX_LIFE = 1_000  # events of one alert that are kept beside the first
AT_ONCE = 2
# Most alerts that somebody asks for by their id are of now: these are looked through first.
USUAL_AGE = timedelta(hours=1)
_MESSAGE_ID = "Nats-Msg-Id"


@dataclass(slots=True)
class Life:
    """One alert with its events, oldest first: the first one that is stored, and the newest `MAX_LIFE` others.

    `newest` is the place of the newest event of any alert of its source: an action is stored only while that is so.
    """

    alert_id: str
    newest: Place
    book: AlertBook = field(default_factory=AlertBook)
    first: bytes = b""
    others: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_LIFE))
    count: int = 0

    @property
    def entry(self) -> Entry:
        """The alert as its events tell of it."""
        return self.book.entries[self.alert_id]

    @property
    def events(self) -> list[bytes]:
        """The events that were kept."""
        return [self.first, *self.others]

    def take(self, payload: bytes, place: int) -> None:
        """Take in one more event of the alert. Raises `InvalidMessage`."""
        self.book.read(payload, place)
        self.count += 1
        if self.first:
            self.others.append(payload)
        else:
            self.first = payload


class AlertReader:
    """Reads the alerts of every tenant. The key file bounds how many tenants there are."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._reading: defaultdict[str, Semaphore] = defaultdict(lambda: Semaphore(AT_ONCE))

    async def since(
        self, tenant: str, since: datetime, *, source: str | None = None, page_size: int = PAGE, most: int = MAX_EVENTS
    ) -> AlertBook:
        """The alerts of all of the tenant's events since then, or of one source's, and what people ever did about them.
        Raises `TooManyAlertEvents` when these are more than `most`, and `BusError`."""
        book, count = AlertBook(), 0
        async with self._reading[tenant]:
            for action in AlertAction:
                async for message in self._messages(subjects.alert_events_of(tenant, action), 1, page_size):
                    count = _counted(count, most)
                    _take(book.read_action, message)
            async for message in self._messages(subjects.alerts_of(tenant, source), since, page_size):
                count = _counted(count, most)
                _take(book.read, message)
        return book

    async def life(self, tenant: str, alert_id: str) -> Life:
        """One alert with its events. Raises `UnknownAlert`, `BusError`."""
        async with self._reading[tenant]:
            first = await self._first(tenant, alert_id)
            source_alerts = subjects.alerts_of(tenant, _source_of(first, alert_id))
            life = Life(alert_id, Place(source_alerts, first.sequence))
            async for message in self._messages(source_alerts, first.sequence, PAGE):
                life.newest = Place(source_alerts, message.sequence)
                if _is_of(message, tenant, alert_id):
                    _take(life.take, message)
        if alert_id not in life.book.entries:
            raise UnknownAlert(alert_id)
        return life

    async def _first(self, tenant: str, alert_id: str) -> StoredMessage:
        """The first event of the alert that is stored: its opening, unless that is over 7 days old."""
        openings = subjects.alert_events_of(tenant, AlertState.OPENED)
        places = (
            (openings, datetime.now(UTC) - USUAL_AGE),
            (openings, 1),
            (subjects.alerts_of(tenant), 1),
        )
        if "." not in alert_id:  # an id has none; what stands behind one in a message id is the event's
            for filter_subject, begin in places:
                async with aclosing(self._messages(filter_subject, begin, PAGE)) as messages:
                    async for message in messages:
                        if _is_of(message, tenant, alert_id):
                            return message
        raise UnknownAlert(alert_id)

    async def _messages(
        self, filter_subject: str, begin: int | datetime, page_size: int
    ) -> AsyncGenerator[StoredMessage, None]:
        """All that the stream has on a subject from there on, page by page. Raises `BusError`."""
        has_more = True
        while has_more:
            page = await self._bus.stored(ALERTS, filter_subject, begin, page_size)
            for message in page.messages:
                yield message
            has_more = page.has_more and bool(page.messages)
            if has_more:
                begin = page.messages[-1].sequence + 1


def _counted(count: int, most: int) -> int:
    if count >= most:
        raise TooManyAlertEvents(most)
    return count + 1


def _take(read: Callable[[bytes, int], None], message: StoredMessage) -> None:
    try:
        read(message.payload, message.sequence)
    except InvalidMessage as error:
        log.warning("bus message rejected", subject=message.subject, error=str(error))


def _is_of(message: StoredMessage, tenant: str, alert_id: str) -> bool:
    return message.headers.get(_MESSAGE_ID, "").startswith(f"{tenant}.{alert_id}.")


def _source_of(message: StoredMessage, alert_id: str) -> str:
    try:
        subject = parse(message.subject)
    except InvalidSubject:
        raise UnknownAlert(alert_id) from None
    if not isinstance(subject, AlertSubject):
        raise UnknownAlert(alert_id)
    return subject.source
