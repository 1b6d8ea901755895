"""What interaction does with a session that it holds, until the session ends or the lease is lost.

A coded frame group makes a turn (the tick). Beside it the session is followed: its commands, its settings, its end.
Both go through one lock, so that nothing changes while a turn is in flight.
"""

import asyncio
import contextlib
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.frames import CodedFrameGroup, decode_coded_group
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
)
from vigil.runtime.placement.claimer import Relieved
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log, source_logs
from vigil.runtime.process.trace import continued
from vigil.runtime.session.claimed import until_over
from vigil.runtime.session.dropped import tell_dropped
from vigil.runtime.session.follow import follow
from vigil.runtime.session.lifecycle import CLOSED_BY_END, announce_claim, announce_end, why_ended
from vigil.runtime.store.sessions import Look, SessionStore, Taken
from vigil_interaction import metrics
from vigil_interaction.dropped_turns import by_store, overtaken
from vigil_interaction.outbox import Outbox
from vigil_interaction.picture_wish import PictureWish
from vigil_interaction.ports import Ports
from vigil_interaction.runner import Runner
from vigil_interaction.sight import Sight, life, sight
from vigil_interaction.stall_watch import StallWatch

log = get_log()

# A turn shows the newest group. Two may wait: while a codec worker hands a session over, two send each second, and with
# room for one group, that which the fence refuses took the place of the other.
WAITING_GROUPS = 2
IDLE_S = 2.0  # after this long without a frame, what waits in the outbox is published without a turn
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
        self._wish: PictureWish | None = None
        self._ports = ports
        self._turn = asyncio.Lock()
        self._codec_fence = 0

    async def run(self) -> None:
        """Take the session, tick until it ends, then close it. Raises `StoreError`, `BusError`; run it again then."""
        # Listened to before it is taken: what comes when the former worker can commit no more is there afterwards.
        async with (
            until_over(self._ports, self.key, (Role.INTERACTION, *CLOSED_BY_END)),
            self._ports.bus.subscribe(subjects.coded_frames(self.key), WAITING_GROUPS) as frames,
        ):
            taken = await self._ports.store.take(self.key, self.fence)
            with source_logs(taken.spec.source.id):
                await self._run_taken(taken, frames)

    async def _run_taken(self, taken: Taken, frames: KeepLatest[Message]) -> None:
        outbox = Outbox(self._ports.bus, taken.outbox)
        self.runner = Runner(self._ports, self.key, self.fence, taken, outbox)
        self._wish = PictureWish(self._ports.bus, self.key, taken.waiting.commands)
        try:
            if taken.ended is None:
                await self._until_ended(self.runner, self._wish, frames, life(taken.spec))
            await self._finish(self.runner, outbox)
        except asyncio.CancelledError:
            await self._leave_tidy(self.runner)
            raise
        finally:
            outbox.close()
            self.runner.close()

    async def _leave_tidy(self, runner: Runner) -> None:
        """On the way out, take what is published out of the store, so that nobody publishes it again."""
        with contextlib.suppress(StoreError, TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                await runner.tidy()

    async def _until_ended(self, runner: Runner, wish: PictureWish, frames: KeepLatest[Message], life: str) -> None:
        await first_to_end(
            self._tick(runner, frames, life),
            follow(self._ports, self.key, self._take_up, commands=True, turn=self._turn),
            self._announce_and_tidy(runner, frames),
            StallWatch(self._ports, runner).run(),
            runner.warmer.run(),
            wish.run(),
            runner.modules.listen(self._ports.bus),
        )

    async def _tick(self, runner: Runner, frames: KeepLatest[Message], life: str) -> None:
        """Decide on every frame group that is still the newest; returns when the session has ended."""
        async for message, skipped in frames.counted():
            group = self._group(message.payload)
            if frames.statistics.waiting:
                later, dropped = await frames.take()
                newer = self._group(later.payload)
                skipped += dropped
                if group is not None and newer is not None and newer.fence < group.fence:
                    await self._pass_over(runner, sight(newer, life), 0)
                elif newer is not None:
                    skipped += group is not None
                    message, group = later, newer
            async with self._turn:
                if group is None:
                    runner.skip(skipped, "superseded")
                    continue
                seen = sight(group, life)
                if group.fence < self._codec_fence:
                    await self._pass_over(runner, seen, skipped)
                    continue
                self._codec_fence = group.fence
                try:
                    with continued(message.headers):
                        await runner.tick(seen, skipped)
                except SessionEnded:
                    return
                except (FenceLost, asyncio.CancelledError):
                    await self._hand_on(message)
                    raise
                except StoreError as error:
                    await tell_dropped(self._ports.bus, by_store(self.key, seen, error))
                    raise

    async def _hand_on(self, message: Message) -> None:
        """Show a frame group again whose turn was cut short: another worker, if there is one, listened before it took
        the session, but after this group came. One that is not newer than the last turn is dropped there."""
        with contextlib.suppress(BusError):
            await self._ports.bus.publish(subjects.coded_frames(self.key), message.payload, message.headers)

    def _group(self, payload: bytes) -> CodedFrameGroup | None:
        """The group, unless it is damaged or another session's."""
        try:
            group = decode_coded_group(payload)
        except InvalidMessage as error:
            metrics.FRAMES_SKIPPED.labels("damaged").inc()
            log.warning("frame group dropped", reason=str(error))
            return None
        if group.key != self.key:
            metrics.FRAMES_SKIPPED.labels("not_for_this_session").inc()
            return None
        return group

    async def _pass_over(self, runner: Runner, seen: Sight, skipped: int) -> None:
        """Tell that nobody decides on a group from a codec worker that was overtaken."""
        runner.skip(skipped, "superseded")
        metrics.FRAMES_SKIPPED.labels("not_for_this_session").inc()
        await tell_dropped(self._ports.bus, overtaken(self.key, seen))

    def _take_up(self, look: Look) -> None:
        """What the client changed is shown by the next turn, which a question does not wait for."""
        if self.runner is not None and self._wish is not None:
            self.runner.spec = look.spec
            self.runner.modules.follow(look.spec.modules)
            self.runner.waiting = look.waiting
            self._wish.waiting(look.waiting.commands)

    async def _announce_and_tidy(self, runner: Runner, frames: KeepLatest[Message]) -> NoReturn:
        """Announce this claim, beside the ticks: they do not wait for it. And publish what waits while no turn does:
        a session without frames has none."""
        received, is_announced = -1, False
        while True:
            is_announced = is_announced or await self._announce(runner.spec)
            await asyncio.sleep(IDLE_S)
            if frames.statistics.received == received:
                async with self._turn:
                    await runner.tidy()
            received = frames.statistics.received

    async def _announce(self, spec: SessionSpec) -> bool:
        """Whether it is stored that this worker holds the session."""
        try:
            await announce_claim(self._ports.bus, spec, self._claim, Role.INTERACTION, self._ports.worker)
        except BusError as error:
            log.warning("session event not stored", reason=str(error))
            return False
        return True

    async def _finish(self, runner: Runner, outbox: Outbox) -> None:
        """Close what is open, and announce the end once all of the session's events are published."""
        await runner.finish(f"the session ended: {await why_ended(self._ports.store, self.key)}")
        if not outbox.is_empty:
            raise BusUnavailable("the session's last events wait for NATS")
        reason = await announce_end(self._ports, runner.spec)  # whoever ended it may have died before announcing it
        log.info("session ended", reason=reason)
