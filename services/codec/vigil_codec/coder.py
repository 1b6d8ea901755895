"""What a worker does with a session that it holds: codes its newest frames, for as long as the lease lasts."""

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.frames import CodedFrameGroup, decode_group, encode_coded_group
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.runtime.bus import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.logs import get_log
from vigil.runtime.placement import Claim
from vigil.runtime.store import SessionStore
from vigil_codec.tally import CODED, DROPPED, SECONDS, TOKENS
from vigil_codec.tokenizer import Refusal, VideoState, encode

log = get_log()


class Coder:
    """`run` is the claimer's: it ends only by being cancelled or by raising, and is then run again."""

    def __init__(self, bus: Bus, store: SessionStore) -> None:
        self._bus = bus
        self._store = store

    async def run(self, claim: Claim) -> None:
        """Code one session. State is rebuilt from the stream, so a takeover needs nothing of the former worker."""
        await self._bus.connected()
        spec = await self._store.spec(claim.key)
        state = VideoState(profile(spec.profile), claim.fence)
        async with self._bus.keep_latest(subjects.raw_frames(claim.key)) as groups:
            log.info("coding", profile=spec.profile, fence=claim.fence)
            dropped = 0
            async for message in groups:
                DROPPED.labels("replaced").inc(groups.dropped - dropped)
                dropped = groups.dropped
                with SECONDS.time():
                    state = await self._code(state, claim.key, message.payload)

    async def _code(self, state: VideoState, key: SessionKey, payload: bytes) -> VideoState:
        try:
            group = decode_group(payload)
        except InvalidMessage as error:
            DROPPED.labels("invalid").inc()
            log.warning("frame group skipped", reason=str(error))
            return state
        state, coded = encode(state, group)
        if isinstance(coded, Refusal):
            DROPPED.labels(coded.value).inc()
        else:
            await self._publish(key, coded)
        return state

    async def _publish(self, key: SessionKey, coded: CodedFrameGroup) -> None:
        try:
            await self._bus.publish(subjects.coded_frames(key), encode_coded_group(coded))
        except BusError as error:
            DROPPED.labels("unpublished").inc()
            log.warning("frame group not published", reason=str(error))
            return
        CODED.inc()
        TOKENS.inc(sum(frame.visual_tokens for frame in coded.frames))
