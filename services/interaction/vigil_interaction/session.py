"""What a worker does with a session that it holds, until the session ends or the lease is lost.

Two things wake it: a coded frame group (the tick), and word that something about the session changed (a command, its
settings, its end). Both go through one lock, so that nothing happens beside a turn in flight.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.frames import CodedFrameGroup, decode_coded_group
from vigil.contract.subjects import Lifecycle
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import (
    BusError,
    BusUnavailable,
    FenceLost,
    SessionEnded,
    StoreError,
    UnknownSession,
)
from vigil.runtime.placement.claimer import Relieved
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import continued
from vigil.runtime.store.sessions import SessionStore, Taken
from vigil_interaction import metrics
from vigil_interaction.observation import life, sight
from vigil_interaction.outbox import Outbox
from vigil_interaction.ports import Ports
from vigil_interaction.runner import Runner

log = get_log()

IDLE_S = 2.0  # a session without a frame for this long looks whether something else is to be done
LOOK_S = 10.0  # and a busy one does so this often
LEAVE_S = 0.5


def relief(store: SessionStore) -> Relieved:
    """Tells the claimer whether another worker is at a session: who takes one in the store listens to it already."""

    async def is_relieved(claim: Claim) -> bool:
        return await store.is_overtaken(claim.key, claim.fence)

    return is_relieved


class ClaimedSession:
    """One claim's work. `run` returns when the session has ended and everything about it is published."""

    def __init__(self, ports: Ports, claim: Claim) -> None:
        self.key: SessionKey = claim.key
        self.fence = claim.fence
        self._claim = claim
        self.runner: Runner | None = None
        self._ports = ports
        self._store = ports.store
        self._bus = ports.bus
        self._placement = ports.placement
        self._turn = asyncio.Lock()
        self._codec_fence = 0

    async def run(self) -> None:
        """Take the session, tick until it ends, then close it. Raises `StoreError`, `BusError`; run it again then."""
        try:
            await self._run()
        except UnknownSession:
            await self._placement.close(self.key)
            log.warning("session forgotten", reason="the store does not know it any more")

    async def _run(self) -> None:
        await self._bus.connected()
        # Listened to before it is taken: what comes when the former worker can commit no more is there afterwards.
        async with self._bus.keep_latest(subjects.coded_frames(self.key)) as frames:
            await self._run_taken(await self._store.take(self.key, self.fence), frames)

    async def _run_taken(self, taken: Taken, frames: KeepLatest[Message]) -> None:
        outbox = Outbox(self._bus, taken.outbox)
        self.runner = Runner(self._ports, self.key, self.fence, taken, outbox)
        try:
            if taken.ended is None:
                await self._until_over(self.runner, frames, life(taken.spec))
            await self._finish(self.runner, outbox)
        except asyncio.CancelledError:
            await self._leave_tidy(self.runner)
            raise
        finally:
            outbox.close()

    async def _leave_tidy(self, runner: Runner) -> None:
        """On the way out, take what is published out of the store, so that nobody publishes it again."""
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await runner.tidy()

    async def _announce(self, spec: SessionSpec) -> bool:
        """Tell that the session is watched from now on, or by another worker than before. Once for each claim; False
        when it has to be tried again."""
        event = Lifecycle.MOVED if self._claim.previous else Lifecycle.STARTED
        data = SessionData(
            spec.tenant, spec.session, spec.source.id, Role.INTERACTION, self._ports.worker, self._claim.previous
        )
        try:
            await self._tell(event, data, spec.created_us, self.fence)
        except BusError as error:
            log.warning("session event not stored", session_event=event, error=str(error))
            return False
        return True

    async def _tell(self, event: Lifecycle, data: SessionData, created_us: int, number: int) -> None:
        """Store an event of the session's life, unless it is the newest one of its kind already."""
        now_us = self._ports.clock()
        outgoing = session_outgoing(event, data, created_us=created_us, number=number, emit_time_us=now_us)
        if await self._bus.last_message_id(outgoing.subject) != outgoing.message_id:
            await self._bus.publish_stored(outgoing)

    async def _until_over(self, runner: Runner, frames: KeepLatest[Message], life: str) -> None:
        async with (
            self._bus.keep_latest(subjects.command(self.key)) as nudges,
            self._bus.keep_latest(subjects.lifecycle_of(self.key)) as changes,
        ):
            await first_to_end(
                self._tick(runner, frames, life),
                self._look_when_told(runner, nudges),
                self._look_when_told(runner, changes),
                self._look_regularly(runner, frames),
                runner.warmer.run(),
            )

    async def _tick(self, runner: Runner, frames: KeepLatest[Message], life: str) -> None:
        """Decide on every frame group that is still the newest; returns when the session has ended."""
        async for message, skipped in frames.counted():
            group = self._group(message.payload)
            async with self._turn:
                if group is None:
                    runner.skip(skipped, "superseded")
                    continue
                try:
                    with continued(message.headers):
                        await runner.tick(sight(group, life), skipped)
                except SessionEnded:
                    return
                except (FenceLost, asyncio.CancelledError):
                    await self._hand_on(message)
                    raise

    async def _hand_on(self, message: Message) -> None:
        """Show a frame group again whose turn was cut short: another worker, if there is one, listened before it took
        the session, but after this group came. One that is not newer than the last turn is dropped there."""
        with contextlib.suppress(BusError):
            await self._bus.publish(subjects.coded_frames(self.key), message.payload, message.headers)

    def _group(self, payload: bytes) -> CodedFrameGroup | None:
        """The group, unless it is damaged, another session's, or from a codec worker that was overtaken."""
        try:
            group = decode_coded_group(payload)
        except InvalidMessage as error:
            metrics.FRAMES_SKIPPED.labels("damaged").inc()
            log.warning("frame group dropped", reason=str(error))
            return None
        if group.key != self.key or group.fence < self._codec_fence:
            metrics.FRAMES_SKIPPED.labels("not_for_this_session").inc()
            return None
        self._codec_fence = group.fence
        return group

    async def _look_when_told(self, runner: Runner, told: AsyncIterator[Message]) -> None:
        async for _ in told:
            if await self._is_over(runner):
                return

    async def _look_regularly(self, runner: Runner, frames: KeepLatest[Message]) -> None:
        """Word of a change can be lost while the bus is away, so every session looks for itself now and then. It also
        tells that it began, beside the ticks: the session is more than the news of it."""
        received, waited_s, is_announced = -1, 0.0, False
        while True:
            is_announced = is_announced or await self._announce(runner.spec)
            await asyncio.sleep(IDLE_S)
            waited_s += IDLE_S
            is_idle = frames.statistics.received == received
            received = frames.statistics.received
            if is_idle:
                async with self._turn:
                    await runner.tidy()
            if is_idle or waited_s >= LOOK_S:
                waited_s = 0.0
                if await self._is_over(runner):
                    return

    async def _is_over(self, runner: Runner) -> bool:
        """Read what a client may have changed, or that the session has ended. Raises `UnknownSession`."""
        async with self._turn:
            seen = await self._store.look(self.key)
            runner.spec = seen.spec
            runner.commands = seen.commands
            return seen.ended is not None

    async def _finish(self, runner: Runner, outbox: Outbox) -> None:
        """Close what is open and let go of the session, once the world has heard of it."""
        ended = await self._store.ended(self.key)
        reason = ended.reason if ended else "it is over"
        await runner.finish(f"the session ended: {reason}")
        if not outbox.is_empty:
            raise BusUnavailable("the session's last events wait for NATS")
        spec = runner.spec
        data = SessionData(spec.tenant, spec.session, spec.source.id, role="", worker="", reason=reason)
        await self._tell(Lifecycle.ENDED, data, spec.created_us, 0)  # whoever ended it may have died before saying so
        await self._placement.close(self.key)
        log.info("session ended", reason=reason)
