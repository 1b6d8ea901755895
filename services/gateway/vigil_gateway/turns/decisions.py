"""The decisions of a session, read from their stream without a consumer: the newest ones, or those before a turn."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.errors import InvalidMessage
from vigil.contract.streams import DECISIONS
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Bus, StoredMessage
from vigil.runtime.process.logs import get_log
from vigil_gateway.turns.search import Place, place_of

log = get_log()

PAGE = 256
# Servers whose clocks differ by less do not lose a session's first decisions. A session that had the same id before
# ended an hour earlier, at least.
_CLOCKS_DIFFER_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Decisions:
    """Some decisions of a session, newest first; `has_more`: the stream has earlier ones."""

    found: tuple[StoredDecision, ...] = ()
    has_more: bool = False


async def decisions_before(bus: Bus, spec: SessionSpec, before: int | None, limit: int) -> Decisions:
    """The last `limit` decisions before that turn (None: of all), as far back as the stream goes. Raises `BusError`."""
    reader = _Reader(bus, subjects.decision(spec.key))
    since = datetime.fromtimestamp(max(0, spec.created_us - _CLOCKS_DIFFER_US) / 1e6, UTC)
    low = await reader.first(since)
    newest = await bus.last_sequence(DECISIONS, reader.subject) if low is not None else 0
    high = await reader.first(newest) if newest else None
    if low is None or high is None or high.turn < low.turn:
        return Decisions()
    end = high.turn + 1 if before is None else min(before, high.turn + 1)
    wanted = max(low.turn, end - limit)
    if end <= low.turn:
        return Decisions()
    found = await reader.turns(await place_of(reader.first, wanted, low, high), wanted, end)
    return Decisions(tuple(reversed(found)), has_more=wanted > low.turn)


class _Reader:
    """Reads one session's subject."""

    def __init__(self, bus: Bus, subject: str) -> None:
        self.subject = subject
        self._bus = bus

    async def first(self, begin: int | datetime) -> Place | None:
        """The first decision from a place or a time on. One that cannot be read is passed over."""
        while True:
            page = await self._bus.stored(DECISIONS, self.subject, begin, 1)
            for stored, decision in _read(page.messages):
                return Place(stored, decision.sequence)
            if not page.messages:
                return None
            begin = page.messages[-1].sequence + 1

    async def turns(self, begin: int, first: int, end: int) -> list[StoredDecision]:
        """The decisions from a place on, of the turns from `first` to before `end`; each turn once."""
        found: dict[int, StoredDecision] = {}
        has_more = True
        while has_more:
            page = await self._bus.stored(DECISIONS, self.subject, begin, min(PAGE, end - first))
            for _, decision in _read(page.messages):
                if decision.sequence >= end:
                    return list(found.values())
                if decision.sequence >= first:
                    found[decision.sequence] = decision
            has_more = page.has_more and bool(page.messages) and end - 1 not in found
            begin = page.messages[-1].sequence + 1 if page.messages else begin
        return list(found.values())


def _read(messages: Iterable[StoredMessage]) -> Iterator[tuple[int, StoredDecision]]:
    for message in messages:
        try:
            yield message.sequence, decode_decision(message.payload)
        except InvalidMessage as error:
            log.warning("bus message rejected", subject=message.subject, error=str(error))
