"""What a worker does with a session that it holds: codes its newest frames, for as long as the lease lasts."""

import asyncio

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.frames import CodedFrameGroup, decode_group, encode_coded_group
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, StoreUnavailable, UnknownSession
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import continued, span
from vigil.runtime.store.sessions import SessionStore
from vigil_codec import metrics
from vigil_codec.tokenizer import Refusal, VideoState, encode

log = get_log()

IDLE_S = 2.0  # a session without frames for this long is looked at: its end may have been told to nobody


class Coder:
    """`run` is the claimer's: it ends when the session does, or by being cancelled, or raises and is run again."""

    def __init__(self, bus: Bus, store: SessionStore, placement: Placement) -> None:
        self._bus = bus
        self._store = store
        self._placement = placement

    async def run(self, claim: Claim) -> None:
        """Code one session until it has ended. State is rebuilt from the stream, so a takeover needs nothing of the
        former worker."""
        await self._bus.connected()
        try:
            async with self._bus.keep_latest(subjects.raw_frames(claim.key)) as groups:
                if (look := await self._store.look(claim.key)).ended is None:
                    await self._until_over(claim, look.spec, groups)
        except UnknownSession:
            log.info("session forgotten", reason="the store does not know it any more")
        await self._placement.close(claim.key, (Role.CODEC,))

    async def _until_over(self, claim: Claim, spec: SessionSpec, groups: KeepLatest[Message]) -> None:
        state = VideoState(profile(spec.profile), claim.fence)
        log.info("coding began", profile=spec.profile, fence=claim.fence)
        while (taken := await self._next(claim.key, groups)) is not None:
            message, dropped = taken
            metrics.DROPPED.labels("replaced").inc(dropped)
            with metrics.SECONDS.time(), continued(message.headers), span("frames code"):
                state = await self._code(state, claim.key, message.payload)

    async def _next(self, key: SessionKey, groups: KeepLatest[Message]) -> tuple[Message, int] | None:
        """The next group and how many it replaced; None once none comes because the session has ended."""
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    return await groups.take()
            except TimeoutError:
                if await self._is_over(key):
                    return None

    async def _is_over(self, key: SessionKey) -> bool:
        try:
            return (await self._store.look(key)).ended is not None
        except StoreUnavailable:
            return False  # the claimer says so, and lets go of the session when that lasts

    async def _code(self, state: VideoState, key: SessionKey, payload: bytes) -> VideoState:
        try:
            group = decode_group(payload)
        except InvalidMessage as error:
            metrics.DROPPED.labels("invalid").inc()
            log.warning("frame group skipped", reason=str(error))
            return state
        state, coded = encode(state, group)
        if isinstance(coded, Refusal):
            metrics.DROPPED.labels(coded.value).inc()
            log.info("frame group skipped", time_ms=group.time_ms, reason=coded.value)
        else:
            await self._publish(key, coded)
        return state

    async def _publish(self, key: SessionKey, coded: CodedFrameGroup) -> None:
        try:
            await self._bus.publish(subjects.coded_frames(key), encode_coded_group(coded))
        except BusError as error:
            metrics.DROPPED.labels("unpublished").inc()
            log.warning("frame group not published", reason=str(error))
            return
        metrics.CODED.inc()
        metrics.TOKENS.inc(sum(frame.visual_tokens for frame in coded.frames))
