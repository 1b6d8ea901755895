"""What became of a block of memory that a session asked for: ready, failed. Its words are in the store alone."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import MemoryEvent
from vigil.core.memory import MemoryRequest

MAX_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class MemoryData:
    """The `data` of a memory event. `from_s` and `to_s` are the block's span in model time (seconds). `level` is 0 for
    a summary. `chars` is the length of the text that was written. `reason` says why none was; empty when it was."""

    tenant: str
    session: str
    source_id: str
    block: str
    event: str
    kind: str
    level: int
    from_s: float
    to_s: float
    chars: int
    reason: str
    emit_time: str


def ready_outgoing(request: MemoryRequest, chars: int, at_us: int, traceparent: str = "") -> Outgoing:
    """The stored message that a block is written. A worker that tells it again uses the same id."""
    return _outgoing(request, MemoryEvent.READY, chars, "", at_us, traceparent)


def failed_outgoing(request: MemoryRequest, reason: str, at_us: int, traceparent: str = "") -> Outgoing:
    """The stored message that nobody tries any more to write a block, until the session asks for it again."""
    return _outgoing(request, MemoryEvent.FAILED, 0, reason[:MAX_REASON_CHARS], at_us, traceparent)


def _outgoing(
    request: MemoryRequest, event: MemoryEvent, chars: int, reason: str, at_us: int, traceparent: str
) -> Outgoing:
    when = rfc3339(at_us)
    data = MemoryData(
        tenant=request.tenant,
        session=request.session,
        source_id=request.source_id,
        block=request.id,
        event=event,
        kind=request.kind,
        level=request.level,
        from_s=request.from_ms / 1000,
        to_s=request.to_ms / 1000,
        chars=chars,
        reason=reason,
        emit_time=when,
    )
    cloud_event = CloudEvent(
        id=f"{request.session}.memory.{request.id}.{request.requested_at_us}.{event}",
        source=session_source(request.key),
        type=f"vigil.memory.{event}",
        subject=request.id,
        time=when,
        data=data,
        traceparent=traceparent or None,
    )
    return event_outgoing(request.tenant, subjects.memory(event, request.key), cloud_event)
