"""What the codec does with a session that it holds: codes its newest frames until the session ends."""

from typing import NoReturn

from opentelemetry.trace import Span

from vigil.contract import spans, subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.frames import CodedFrameGroup, FrameGroup, decode_group, encode_coded_group
from vigil.contract.turn_dropped import DropReason, TurnDropped
from vigil.core.ids import SessionKey
from vigil.core.profile import profile
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, BusUnavailable
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log, source_logs
from vigil.runtime.process.trace import continued, span
from vigil.runtime.session.claimed import until_over
from vigil.runtime.session.dropped import tell_dropped
from vigil.runtime.session.follow import follow
from vigil.runtime.session.ports import SessionPorts
from vigil_codec import metrics
from vigil_codec.tokenizer import Refusal, VideoState, encode

log = get_log()

# While ingestion hands a session over, two workers send the same second in the same moment: with room for one group,
# that which the fence refuses took the place of the other.
WAITING_GROUPS = 2

_TOLD = {
    Refusal.DAMAGED: (DropReason.DAMAGED, "a picture is no whole JPEG of its stated size"),
    Refusal.OVERTAKEN: (DropReason.OVERTAKEN, "the pictures came from a worker that was overtaken"),
}


class Coder:
    """`run` is the claimer's: it ends when the session does, or by being cancelled, or raises and is run again."""

    def __init__(self, ports: SessionPorts) -> None:
        self._ports = ports

    async def run(self, claim: Claim) -> None:
        """Code one session until it has ended. State is rebuilt from the stream, so a takeover needs nothing of the
        former worker."""
        ports, key = self._ports, claim.key
        async with (
            until_over(ports, key, (Role.CODEC,)),
            ports.bus.subscribe(subjects.raw_frames(key), WAITING_GROUPS) as groups,
        ):
            await ports.placement.take_up(Role.CODEC, claim)
            look = await ports.store.look(key)
            if look.ended is None:
                with source_logs(look.spec.source.id):
                    await first_to_end(self._code_all(claim, look.spec, groups), follow(ports, key))

    async def _code_all(self, claim: Claim, spec: SessionSpec, groups: KeepLatest[Message]) -> NoReturn:
        state = VideoState(profile(spec.profile), claim.fence)
        log.info("coding began", profile=spec.profile, fence=claim.fence)
        attributes = {spans.TENANT: spec.tenant, spans.SESSION: spec.session, spans.SOURCE: spec.source.id}
        async for message, dropped in groups.counted():
            metrics.DROPPED.labels("replaced").inc(dropped)
            with metrics.SECONDS.time(), continued(message.headers), span(spans.CODE, attributes) as current:
                state = await self._code(state, claim.key, message.payload, current)
        raise BusUnavailable("no frame groups can be heard: the subscription ended")

    async def _code(self, state: VideoState, key: SessionKey, payload: bytes, current: Span) -> VideoState:
        try:
            group = decode_group(payload)
        except InvalidMessage as error:
            metrics.DROPPED.labels("invalid").inc()
            current.set_attribute(spans.DROPPED, "invalid")
            log.warning("frame group skipped", reason=str(error))
            return state
        state, coded = encode(state, group)
        current.set_attributes({spans.TIME_MS: group.time_ms, spans.PICTURES: len(group.frames)})
        if isinstance(coded, Refusal):
            metrics.DROPPED.labels(coded.value).inc()
            current.set_attribute(spans.DROPPED, coded.value)
            log.info("frame group skipped", time_ms=group.time_ms, reason=coded.value)
            await tell_dropped(self._ports.bus, _dropped(group, coded))
        else:
            current.set_attribute(spans.VISUAL_TOKENS, sum(frame.visual_tokens for frame in coded.frames))
            await self._publish(key, coded)
        return state

    async def _publish(self, key: SessionKey, coded: CodedFrameGroup) -> None:
        try:
            await self._ports.bus.publish(subjects.coded_frames(key), encode_coded_group(coded))
        except BusError as error:
            metrics.DROPPED.labels("unpublished").inc()
            log.warning("frame group not published", reason=str(error))
            return
        metrics.CODED.inc()
        metrics.TOKENS.inc(sum(frame.visual_tokens for frame in coded.frames))


def _dropped(group: FrameGroup, refusal: Refusal) -> TurnDropped:
    reason, detail = _TOLD[refusal]
    return TurnDropped(group.key, group.time_ms, group.frames[0].capture_time_us, reason, detail)
