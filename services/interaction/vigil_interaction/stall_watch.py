"""Tells that a session has stalled, and that it decides again: in its status, as an event, as a metric.

It runs beside the session's turns, so it also notices a turn that hangs.
"""

import asyncio
from typing import Any, NoReturn

import msgspec

from vigil.contract.events.envelope import rfc3339
from vigil.contract.unreadable import UNREADABLE
from vigil.core.session import SessionSpec
from vigil.core.source import Role, SourceKind
from vigil.core.stall import LEAST_S, Cause, Stall, stall
from vigil.runtime.errors import BusError, PortError, StoreError
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.outages import STALL, tell_begin, tell_end, told
from vigil_interaction import metrics
from vigil_interaction.ports import Ports
from vigil_interaction.runner import Runner

log = get_log()

LOOK_S = 1.0  # how often the session is looked at
HELD_AGAIN = "a worker holds it again"
WATCHING = "watching"  # ingestion's state while pictures come


class StallWatch:
    """One claim's watch over one session. `current` is the stall that lasts, None while the session decides."""

    def __init__(self, ports: Ports, runner: Runner) -> None:
        self.current: Stall | None = None
        self._ports = ports
        self._runner = runner
        self._since_us = 0
        self._number: int | None = None  # of the stall that was told and has not ended
        self._following = 0  # the least number of the next stall
        self._memory_read = False
        self._is_relieved = False  # it had no worker before this claim, and this claim has found no stall yet
        self._asks_until_s: float | None = ports.monotonic() + LEAST_S  # a gateway may still be telling
        self._written = ""  # the status that the store has from here

    async def run(self) -> NoReturn:
        """Look, and tell what has changed, until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_S)
                await self.look()
        finally:
            self._take_up(None)

    async def look(self) -> None:
        """Tell what has changed since the last look. What cannot be told now is told later."""
        found = await self._found()
        self._take_up(found)
        is_taken_up = found is None and not self._has_decided  # it was just taken: it may still be stalled
        if found is not None:
            self._is_relieved, self._asks_until_s = False, None
        elif is_taken_up and not await self._had_no_worker():
            return
        try:
            await self._tell(found, HELD_AGAIN if is_taken_up else "it decides again")
        except BusError as error:
            log.warning("session event not stored", reason=str(error))
        await self._write(found)

    @property
    def _has_decided(self) -> bool:
        return bool(self._runner.vitals.gaps)

    async def _had_no_worker(self) -> bool:
        """Whether the session was told as stalled because no interaction worker held it. This claim ends that."""
        if self._is_relieved or self._asks_until_s is None:
            return self._is_relieved
        try:
            said = _read((await self._ports.store.status(self._runner.key)).get(Role.INTERACTION, ""))
        except StoreError as error:
            log.warning("status not read", reason=str(error))
            return False
        if self._ports.monotonic() > self._asks_until_s:
            self._asks_until_s = None
        # Without the name of a worker it is a gateway that said so: of the session's interaction worker.
        self._is_relieved = said.get("cause") == Cause.NO_WORKER and not said.get("worker")
        if self._is_relieved:
            log.info("session recovered", reason=HELD_AGAIN)
        return self._is_relieved

    async def _found(self) -> Stall | None:
        runner = self._runner
        interval_s = runner.spec.cadence.interval_ms / 1_000
        kind = runner.spec.source.kind
        # A WebRTC client that has not come yet is waited for, as the next picture of one that pushes.
        pushed = kind is SourceKind.PUSHED or (kind is SourceKind.WEBRTC and not self._has_decided)
        found = stall(runner.vitals, self._ports.monotonic(), interval_s, pushed=pushed)
        if found is not None and found.cause is Cause.NO_CODED_FRAME:
            return await upstream(self._ports, runner.spec) or found
        return found

    def _take_up(self, found: Stall | None) -> None:
        """Count the stall and log its beginning, its change of cause and its end."""
        before, self.current = self.current, found
        if (before and before.cause) == (found and found.cause):
            return
        if before is not None:
            metrics.STALLED.labels(before.cause).dec()
        if found is not None:
            metrics.STALLED.labels(found.cause).inc()
            metrics.STALLS.labels(found.cause).inc()
            self._since_us = self._ports.clock() if before is None else self._since_us
            log.warning("session stalled", cause=found.cause.value, reason=found.words)
        elif before is not None and self._has_decided:
            log.info("session recovered", stalled_s=round((self._ports.clock() - self._since_us) / 1e6, 1))

    async def _tell(self, found: Stall | None, why_ended: str) -> None:
        """Store the event of the stall's beginning or end. Raises `BusError`."""
        bus, spec, worker = self._ports.bus, self._runner.spec, self._ports.worker
        if not self._memory_read:
            before = await told(bus, spec, STALL)
            self._number, self._following, self._memory_read = before.lasting, before.following, True
        if found is not None and self._number is None:
            number = max(self._runner.state.next_sequence, self._following)
            await tell_begin(bus, spec, STALL, number, worker=worker, cause=found.cause, reason=found.words)
            self._number, self._following = number, number + 1
        elif found is None and self._number is not None:
            await tell_end(bus, spec, STALL, self._number, worker=worker, reason=why_ended)
            self._number = None

    async def _write(self, found: Stall | None) -> None:
        """Write the status when it has changed."""
        said: dict[str, str] = {"state": "deciding" if found is None else "stalled", "worker": self._ports.worker}
        if found is not None:
            said |= {"cause": found.cause, "detail": found.words, "since": rfc3339(self._since_us)}
        text = msgspec.json.encode(said).decode()
        if text == self._written:
            return
        try:
            await self._ports.store.set_status(self._runner.key, Role.INTERACTION, text)
        except StoreError as error:
            log.warning("status not written", state=said["state"], reason=str(error))
            return
        self._written = text


async def upstream(ports: Ports, spec: SessionSpec) -> Stall | None:
    """What is wrong before the picture is coded; None when nothing is known to be."""
    try:
        lacking = await ports.placement.lacking(
            spec.key, [role for role in spec.source.roles if role is not Role.INTERACTION]
        )
        said = (await ports.store.status(spec.key)).get(Role.INGESTION, "")
    except PortError as error:
        return Stall(Cause.STORE, str(error))
    if lacking:
        return Stall(Cause.NO_WORKER, f"no worker holds the session for {', '.join(lacking)}")
    source = _read(said)
    if source.get("state") == WATCHING:
        return None
    words = source.get("detail") or f"the source is {source.get('state') or 'not opened yet'}"
    return Stall(Cause.NO_FRAME, str(words))


def _read(said: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(said, type=dict[str, Any])
    except UNREADABLE:
        return {}
