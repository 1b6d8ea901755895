"""The tiles of one tenant, kept up to date for as long as somebody looks at them: once, however many look.

Decisions are heard as they are stored, and of each session only the newest is kept. Once a second the tiles of the
sessions that decided are made anew. What is not told on the bus (what a role says, alerts, the end) is read from the
store every `status_interval_s`, for all sessions in one round trip.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decode_decision
from vigil.contract.errors import InvalidMessage
from vigil.contract.streams import DECISIONS
from vigil.core.ids import SessionKey
from vigil.core.source import WATCHING_ROLES, Role
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.bus.stored import MAX_NEWEST
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, PortError
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.overview import Overview, Overviews
from vigil_gateway.wall.tile import tile

log = get_log()

TILE_S = 1.0  # between two tiles of one session
ENDED_S = 60.0  # so long an ended session's tile stays, for a client that is slow
RETRY_S = 1.0
_WAITING = 4_096  # decisions that wait to be looked at; the newest
_UNHELD = 1_024
# A decision that is older than its session by more is of an earlier session of the same id.
_CLOCKS_DIFFER_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Tile:
    """A session's tile as JSON. `version` grows with each change on the board."""

    data: bytes
    version: int
    is_open: bool


@dataclass(slots=True)
class Board:
    """One tenant's tiles. `run` keeps them up to date."""

    tenant: str
    bus: Bus
    overviews: Overviews
    placement: Placement
    interval_s: float
    tiles: dict[str, Tile] = field(default_factory=dict)
    _version: int = 0
    _seen: dict[str, Overview] = field(default_factory=dict)
    _last: dict[str, StoredDecision] = field(default_factory=dict)
    _full: dict[str, dict[Role, str]] = field(default_factory=dict)
    _arrived: dict[str, bytes] = field(default_factory=dict)
    _look: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)
    _is_filled: bool = False

    @property
    def open_sessions(self) -> int:
        """How many sessions of the tenant are open."""
        return sum(seen.ended is None for seen in self._seen.values())

    def since(self, version: int) -> tuple[list[bytes], int]:
        """The tiles that changed after a version, and the version now; after 0 those of all open sessions. A reader
        that comes late gets the newest of each session: what waits for it is bounded by the number of sessions."""
        changed = [known for known in self.tiles.values() if known.version > version and (version or known.is_open)]
        return [known.data for known in changed], self._version

    def look_soon(self) -> None:
        """Read the store before it is due: a session began or ended."""
        self._look.set()

    async def filled(self) -> None:
        """Return once every open session has its tile. Raises `PortError`."""
        async with self._first:
            if not self._is_filled:
                await self._read()
                self._is_filled = True

    async def run(self) -> None:
        """Keep the tiles up to date, until cancelled."""
        try:
            while True:
                try:
                    await self._follow()
                except BusError as error:
                    log.warning("wall interrupted", tenant=self.tenant, reason=str(error))
                await asyncio.sleep(RETRY_S)
        finally:
            self._over.set()

    async def broken(self) -> str:
        """Return, with a reason for the viewer, once the board is not kept up to date any more."""
        await self._over.wait()
        return "the wall failed: connect again"

    async def _follow(self) -> None:
        async with self.bus.subscribe(subjects.numbered(subjects.decisions_of(self.tenant)), _WAITING) as decided:
            await first_to_end(self._hear(decided), self._read_on(), self._show_on())

    async def _hear(self, decided: KeepLatest[Message]) -> None:
        async for message in decided:
            self._arrived[message.subject.rpartition(".")[2]] = message.payload

    async def _read_on(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.interval_s):
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self._read()
            except PortError as error:
                log.warning("wall not read", tenant=self.tenant, reason=str(error))

    async def _show_on(self) -> None:
        while True:
            await asyncio.sleep(TILE_S)
            arrived, self._arrived = self._arrived, {}
            for payload in arrived.values():
                self._decided(payload)
            self._show(arrived)

    def _decided(self, payload: bytes) -> None:
        try:
            decision = decode_decision(payload)
        except InvalidMessage as error:
            log.warning("bus message rejected", tenant=self.tenant, error=str(error))
            return
        if decision.key.tenant == self.tenant:
            self._last[decision.key.session] = decision

    async def _read(self) -> None:
        """Read what the store says of every session that is open, or was when it was last read."""
        listed = await self.overviews.open_keys(self.tenant)
        before = {SessionKey(self.tenant, name) for name, seen in self._seen.items() if _is_shown(seen)}
        found = await self.overviews.of(sorted(before | set(listed)))
        is_new = [key for key in found if key.session not in self._seen]
        await self._read_last(is_new)
        self._full = await self._shortages({key: seen for key, seen in found.items() if seen.ended is None})
        self._forget(self._seen.keys() - {key.session for key in found})
        self._seen = {key.session: seen for key, seen in found.items()}
        self._show(self._seen)

    async def _read_last(self, keys: Sequence[SessionKey]) -> None:
        """The newest decision of sessions that were not on the board yet."""
        for begin in range(0, len(keys), MAX_NEWEST):
            wanted = [subjects.decision(key) for key in keys[begin : begin + MAX_NEWEST]]
            for message in await self.bus.newest(DECISIONS, wanted):
                self._decided(message.payload)

    async def _shortages(self, found: Mapping[SessionKey, Overview]) -> dict[str, dict[Role, str]]:
        """The sessions that nobody holds in some role while every worker of that role is full."""
        short: dict[str, dict[Role, str]] = {}
        for role in WATCHING_ROLES:
            waiting = [key for key in await self.placement.unheld(role, _UNHELD) if key in found]
            if not waiting:
                continue
            capacity = await self.placement.capacity(role)
            if capacity.open_sessions <= capacity.capacity:
                continue  # somebody takes them in a moment
            words = f"every {role} worker is full" if capacity.workers else f"no {role} worker runs"
            for key in waiting:
                short.setdefault(key.session, {})[role] = words
        return short

    def _forget(self, gone: Iterable[str]) -> None:
        for name in gone:
            self._last.pop(name, None)
            self.tiles.pop(name, None)

    def _show(self, names: Iterable[str]) -> None:
        """Make these sessions' tiles anew; one that says the same as before keeps its version."""
        for name in names:
            seen = self._seen.get(name)
            if seen is None:
                continue
            data = tile(seen, self._last_of(seen), self._full.get(name, {})).model_dump_json().encode()
            if name not in self.tiles or self.tiles[name].data != data:
                self._version += 1
                self.tiles[name] = Tile(data, self._version, seen.ended is None)

    def _last_of(self, seen: Overview) -> StoredDecision | None:
        last = self._last.get(seen.spec.session)
        is_its_own = last is not None and last.emit_time_us >= seen.spec.created_us - _CLOCKS_DIFFER_US
        return last if is_its_own else None


def _is_shown(seen: Overview) -> bool:
    """Whether the session is open, or has ended a moment ago."""
    return seen.ended is None or time.time() - seen.ended.at_ms / 1_000 < ENDED_S
