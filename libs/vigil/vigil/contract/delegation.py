"""A delegated question on the bus: the work that interaction publishes for the brains, as bytes."""

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey, token
from vigil.core.task import MAX_PRIORITY, KeyFrame, TaskRequest
from vigil.v1 import delegation_pb2 as pb

MAX_QUESTION_CHARS = 4_000


def task_outgoing(request: TaskRequest, traceparent: str = "") -> Outgoing:
    """The stored message of a task. Its id is the task's in this life of the session: it is stored once."""
    return Outgoing(
        subject=subjects.task_requested(request.key),
        message_id=f"{request.tenant}.{request.task}.requested.{request.opened_at_us}",
        payload=encode_task(request),
        content_type=PROTOBUF,
        traceparent=traceparent,
    )


def encode_task(request: TaskRequest) -> bytes:
    """A task as bytes."""
    return task_to_pb(request).SerializeToString()


def decode_task(data: bytes) -> TaskRequest:
    """Read what `encode_task` wrote, or raise `InvalidMessage`."""
    try:
        return task_from_pb(pb.TaskRequest.FromString(data))
    except DecodeError:
        raise InvalidMessage("these bytes are not a TaskRequest") from None


def task_to_pb(request: TaskRequest) -> pb.TaskRequest:
    """The protobuf message of a task."""
    return pb.TaskRequest(
        tenant=request.tenant,
        session=request.session,
        source_id=request.source_id,
        task=request.task,
        question=request.question,
        note=request.note,
        language=request.language,
        brain=request.brain,
        sequence=request.sequence,
        time_ms=request.time_ms,
        deadline_ms=request.deadline_ms,
        opened_at_us=request.opened_at_us,
        ttl_s=request.ttl_s,
        priority=request.priority,
        frame_ids=[frame.uuid for frame in request.frames],
        frame_times_ms=[frame.time_ms for frame in request.frames],
        memory=request.memory,
        instructions=request.instructions,
    )


def task_from_pb(message: pb.TaskRequest) -> TaskRequest:
    """The value of a message. Raises `InvalidMessage` for one that no session could have published."""
    try:
        key = SessionKey(message.tenant, message.session)
        brain = token(message.brain, "brain") if message.brain else ""
    except InvalidToken as error:
        raise InvalidMessage(f"a task that cannot be: {error}") from None
    if not message.task or not message.question.strip() or len(message.question) > MAX_QUESTION_CHARS:
        raise InvalidMessage(f"a task needs an id and a question of at most {MAX_QUESTION_CHARS:,} characters")
    if len(message.frame_ids) != len(message.frame_times_ms):
        raise InvalidMessage("a task needs as many times as key frames")
    frames = zip(message.frame_ids, message.frame_times_ms, strict=True)
    return TaskRequest(
        tenant=key.tenant,
        session=key.session,
        source_id=message.source_id,
        task=message.task,
        question=message.question,
        note=message.note,
        language=message.language,
        brain=brain,
        sequence=message.sequence,
        time_ms=message.time_ms,
        deadline_ms=message.deadline_ms,
        opened_at_us=message.opened_at_us,
        ttl_s=message.ttl_s,
        priority=min(message.priority, MAX_PRIORITY),
        frames=tuple(KeyFrame(uuid, time_ms) for uuid, time_ms in frames),
        memory=message.memory,
        instructions=tuple(message.instructions),
    )
