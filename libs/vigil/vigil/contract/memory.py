"""A request for a block of memory on the bus: the work that interaction publishes for the memory service, as bytes."""

from collections.abc import Iterable

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.core.errors import CoreError
from vigil.core.ids import SessionKey
from vigil.core.memory import MAX_REQUEST_FRAMES, Block, MemoryRequest, RequestKind, block_id
from vigil.core.task import KeyFrame
from vigil.core.turn import Reply
from vigil.v1 import memory_pb2 as pb

_TO_PB = {RequestKind.SUMMARY: pb.MEMORY_KIND_SUMMARY, RequestKind.MERGE: pb.MEMORY_KIND_MERGE}
_FROM_PB = {number: kind for kind, number in _TO_PB.items()}


def memory_outgoing(request: MemoryRequest, traceparent: str = "") -> Outgoing:
    """The stored message of a request. One that is asked again has another id, so it is stored again."""
    return Outgoing(
        subject=subjects.memory_requested(request.key),
        message_id=f"{request.tenant}.{request.session}.memory.{request.id}.{request.requested_at_us}",
        payload=encode_memory(request),
        content_type=PROTOBUF,
        traceparent=traceparent,
    )


def encode_memory(request: MemoryRequest) -> bytes:
    """A request as bytes."""
    return memory_to_pb(request).SerializeToString()


def decode_memory(data: bytes) -> MemoryRequest:
    """Read what `encode_memory` wrote, or raise `InvalidMessage`."""
    try:
        return memory_from_pb(pb.MemoryRequest.FromString(data))
    except DecodeError:
        raise InvalidMessage("these bytes are not a MemoryRequest") from None


def memory_to_pb(request: MemoryRequest) -> pb.MemoryRequest:
    """The protobuf message of a request."""
    return pb.MemoryRequest(
        kind=_TO_PB[request.kind],
        tenant=request.tenant,
        session=request.session,
        source_id=request.source_id,
        id=request.id,
        level=request.level,
        from_ms=request.from_ms,
        to_ms=request.to_ms,
        profile=request.profile,
        model=request.model,
        language=request.language,
        frames=[pb.MemoryFrame(uuid=frame.uuid, time_ms=frame.time_ms) for frame in request.frames],
        replies=[pb.MemoryReply(time_ms=reply.time_ms, text=reply.text) for reply in request.replies],
        asked=request.asked,
        instructions=request.instructions,
        before=request.before,
        blocks=map(block_to_pb, request.blocks),
        max_tokens=request.max_tokens,
        due_us=request.due_us,
        requested_at_us=request.requested_at_us,
        ttl_s=request.ttl_s,
        observed=request.observed,
    )


def memory_from_pb(message: pb.MemoryRequest) -> MemoryRequest:
    """The value of a message. Raises `InvalidMessage` for one that no session could have published."""
    kind = _FROM_PB.get(message.kind)
    if kind is None:
        raise InvalidMessage("a memory request needs a kind: summary or merge")
    try:
        key = SessionKey(message.tenant, message.session)
        request = MemoryRequest(
            kind=kind,
            tenant=key.tenant,
            session=key.session,
            source_id=message.source_id,
            id=message.id,
            level=message.level,
            from_ms=message.from_ms,
            to_ms=message.to_ms,
            profile=message.profile,
            model=message.model,
            language=message.language,
            frames=tuple(KeyFrame(frame.uuid, frame.time_ms) for frame in message.frames),
            replies=tuple(Reply(reply.time_ms, reply.text) for reply in message.replies),
            asked=tuple(message.asked),
            instructions=tuple(message.instructions),
            before=message.before,
            blocks=tuple(blocks_from_pb(message.blocks)),
            max_tokens=message.max_tokens,
            due_us=message.due_us,
            requested_at_us=message.requested_at_us,
            ttl_s=message.ttl_s,
            observed=tuple(message.observed),
        )
    except CoreError as error:
        raise InvalidMessage(f"a memory request that cannot be: {error}") from None
    _check(request)
    return request


def block_to_pb(block: Block) -> pb.Block:
    """The protobuf message of a block."""
    return pb.Block(id=block.id, level=block.level, from_ms=block.from_ms, to_ms=block.to_ms, text=block.text)


def blocks_from_pb(messages: Iterable[pb.Block]) -> Iterable[Block]:
    """The values of blocks. Raises `CoreError`."""
    return (Block(message.id, message.level, message.from_ms, message.to_ms, message.text) for message in messages)


def _check(request: MemoryRequest) -> None:
    if request.id != block_id(request.from_ms, request.to_ms, request.level) or request.from_ms >= request.to_ms:
        raise InvalidMessage("a memory request needs the id of the block that it asks for, and a span with a length")
    if len(request.frames) > MAX_REQUEST_FRAMES:
        raise InvalidMessage(f"a memory request has at most {MAX_REQUEST_FRAMES} frames")
    if request.kind is RequestKind.MERGE and not request.blocks:
        raise InvalidMessage("a request to merge needs the blocks that are to be merged")
    if not request.max_tokens or not request.ttl_s > 0:
        raise InvalidMessage("a memory request needs max_tokens and ttl_s above 0")
