"""What a worker does with a session that it holds, until the session ends or the lease is lost.

Two things wake it: a coded frame group (the tick), and word that something about the session changed (a command, its
settings, its end). Both go through one lock, so that nothing happens beside a turn in flight.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events import SessionData, session_outgoing
from vigil.contract.frames import CodedFrameGroup, decode_coded_group
from vigil.contract.subjects import Lifecycle
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.runtime.bus import Bus, Message
from vigil.runtime.keep_latest import KeepLatest
from vigil.runtime.placement import Claim, Placement, Role
from vigil.runtime.store import SessionStore
from vigil_interaction import metrics
from vigil_interaction.observe import sight
from vigil_interaction.outbox import Outbox
from vigil_interaction.runner import Ports, Runner

_log = structlog.get_logger(__name__)

IDLE_S = 2.0  # without a frame for this long, look whether something else is to be done


class _Over(Exception):
    """The session has ended."""


class ClaimedSession:
    """One claim's work. `run` returns when the session has ended and everything about it is published."""

    def __init__(self, ports: Ports, store: SessionStore, bus: Bus, placement: Placement, claim: Claim) -> None:
        self.key: SessionKey = claim.key
        self.fence = claim.fence
        self._claim = claim
        self.runner: Runner | None = None
        self._ports = ports
        self._store = store
        self._bus = bus
        self._placement = placement
        self._turn = asyncio.Lock()
        self._codec_fence = 0

    async def run(self) -> None:
        """Take the session, tick until it ends, then close it. Raises `StoreError`, `BusError`; run it again then."""
        await self._bus.connected()
        taken = await self._store.take(self.key, self.fence)
        outbox = Outbox(self._bus, taken.outbox)
        try:
            await outbox.flush()
            self.runner = Runner(
                self._ports,
                self.key,
                self.fence,
                taken.spec,
                profile(taken.spec.profile),
                taken.state,
                taken.commands,
                outbox,
            )
            if taken.ended is None:
                await self._announce(taken.spec)
                await self._until_over(self.runner)
            await self._finish(self.runner)
        finally:
            outbox.close()

    async def _announce(self, spec: SessionSpec) -> None:
        """Tell that the session is watched from now on, or by another worker than before. Once for each claim."""
        event = Lifecycle.MOVED if self._claim.previous else Lifecycle.STARTED
        data = SessionData(
            spec.tenant, spec.session, spec.source_id, Role.INTERACTION, self._ports.worker, self._claim.previous
        )
        outgoing = session_outgoing(event, data, number=self.fence, emit_time_us=self._ports.clock())
        await self._bus.publish_stored(outgoing)

    async def _until_over(self, runner: Runner) -> None:
        async with (
            self._bus.keep_latest(subjects.coded_frames(self.key)) as frames,
            self._bus.keep_latest(subjects.command(self.key)) as nudges,
            self._bus.keep_latest(subjects.lifecycle_of(self.key)) as changes,
        ):
            with contextlib.suppress(_Over):
                await self._wakes(runner, frames, nudges, changes)

    async def _wakes(
        self,
        runner: Runner,
        frames: KeepLatest[Message],
        nudges: KeepLatest[Message],
        changes: KeepLatest[Message],
    ) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._tick(runner, frames))
                group.create_task(self._look_when_told(runner, nudges))
                group.create_task(self._look_when_told(runner, changes))
                group.create_task(self._look_when_idle(runner, frames))
                group.create_task(runner.warmer.run())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _tick(self, runner: Runner, frames: KeepLatest[Message]) -> None:
        dropped = 0
        async for message in frames:
            group = self._group(message.payload)
            skipped, dropped = frames.dropped - dropped, frames.dropped
            async with self._turn:
                if group is None:
                    runner.skip(skipped, "superseded")
                else:
                    await runner.tick(sight(group), skipped)

    def _group(self, payload: bytes) -> CodedFrameGroup | None:
        """The group, unless it is damaged, another session's, or from a codec worker that was overtaken."""
        try:
            group = decode_coded_group(payload)
        except InvalidMessage as error:
            metrics.FRAMES_SKIPPED.labels("damaged").inc()
            _log.warning("frame group dropped", reason=str(error))
            return None
        if group.key != self.key or group.fence < self._codec_fence:
            metrics.FRAMES_SKIPPED.labels("not_for_this_session").inc()
            return None
        self._codec_fence = group.fence
        return group

    async def _look_when_told(self, runner: Runner, told: AsyncIterator[Message]) -> None:
        async for _ in told:
            await self._look(runner)

    async def _look_when_idle(self, runner: Runner, frames: KeepLatest[Message]) -> None:
        """Word of an end can be lost while the bus is away; an idle session looks for itself."""
        received = -1
        while True:
            await asyncio.sleep(IDLE_S)
            if frames.statistics.received == received:
                async with self._turn:
                    await runner.tidy()
                await self._look(runner)
            received = frames.statistics.received

    async def _look(self, runner: Runner) -> None:
        """Read what a client may have changed. Raises `_Over` when the session has ended."""
        async with self._turn:
            if await self._store.ended(self.key) is not None:
                raise _Over
            runner.spec = await self._store.spec(self.key)
            runner.commands = await self._store.commands(self.key)

    async def _finish(self, runner: Runner) -> None:
        ended = await self._store.ended(self.key)
        await runner.finish(f"the session ended: {ended.reason}" if ended else "the session ended")
        await self._placement.close(self.key, (Role.INTERACTION,))
        _log.info("session finished", reason=ended.reason if ended else "")
