"""Frames on the bus, as values: what ingestion hands to the codec and the codec to interaction.

Protobuf stops here. Decoding copies the JPEGs and nothing else. A group without frames is refused.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

from google.protobuf.message import DecodeError

from vigil.contract.errors import InvalidMessage
from vigil.core.errors import CoreError
from vigil.core.ids import SessionKey
from vigil.v1 import frame_pb2 as pb

F = TypeVar("F")


class FrameKind(IntEnum):
    """A reference frame costs its full visual tokens, a predictable frame about 16."""

    REFERENCE = pb.FRAME_KIND_REFERENCE
    PREDICTABLE = pb.FRAME_KIND_PREDICTABLE


@dataclass(frozen=True, slots=True)
class Frame:
    """One JPEG of `width` x `height` pixels that the camera saw at `capture_time_us` (since the Unix epoch)."""

    jpeg: bytes
    width: int
    height: int
    capture_time_us: int


@dataclass(frozen=True, slots=True)
class FrameGroup:
    """What one turn sees. `time_ms` is model time. `fence` is that of the ingestion worker: a reader ignores a group
    whose fence is lower than one that it has seen."""

    key: SessionKey
    time_ms: int
    sequence: int
    frames: tuple[Frame, ...]
    fence: int


@dataclass(frozen=True, slots=True)
class CodedFrame:
    """A frame as the engine will see it, and the visual tokens it costs."""

    frame: Frame
    kind: FrameKind
    visual_tokens: int


@dataclass(frozen=True, slots=True)
class CodedFrameGroup:
    """A `FrameGroup` after the codec; `fence` is the codec worker's."""

    key: SessionKey
    time_ms: int
    sequence: int
    frames: tuple[CodedFrame, ...]
    fence: int


def encode_group(group: FrameGroup) -> bytes:
    """A group as bytes for `subjects.raw_frames`."""
    return group_to_pb(group).SerializeToString()


def decode_group(data: bytes) -> FrameGroup:
    """Read what `encode_group` wrote, or raise `InvalidMessage`."""
    try:
        return group_from_pb(pb.FrameGroup.FromString(data))
    except DecodeError:
        raise InvalidMessage("these bytes are not a FrameGroup") from None


def encode_coded_group(group: CodedFrameGroup) -> bytes:
    """A coded group as bytes for `subjects.coded_frames`."""
    return coded_group_to_pb(group).SerializeToString()


def decode_coded_group(data: bytes) -> CodedFrameGroup:
    """Read what `encode_coded_group` wrote, or raise `InvalidMessage`."""
    try:
        return coded_group_from_pb(pb.CodedFrameGroup.FromString(data))
    except DecodeError:
        raise InvalidMessage("these bytes are not a CodedFrameGroup") from None


def group_to_pb(group: FrameGroup) -> pb.FrameGroup:
    """A group as a message, for gRPC."""
    return pb.FrameGroup(
        tenant=group.key.tenant,
        session=group.key.session,
        time_ms=group.time_ms,
        sequence=group.sequence,
        frames=[_frame_to_pb(frame) for frame in group.frames],
        fence=group.fence,
    )


def group_from_pb(message: pb.FrameGroup) -> FrameGroup:
    """A message as a group, or `InvalidMessage`."""
    frames = tuple(_frame_from_pb(frame) for frame in message.frames)
    return FrameGroup(_key(message), message.time_ms, message.sequence, _some(frames), message.fence)


def coded_group_to_pb(group: CodedFrameGroup) -> pb.CodedFrameGroup:
    """A coded group as a message, for gRPC."""
    return pb.CodedFrameGroup(
        tenant=group.key.tenant,
        session=group.key.session,
        time_ms=group.time_ms,
        sequence=group.sequence,
        frames=[
            pb.CodedFrame(
                frame=_frame_to_pb(coded.frame),
                kind=pb.FrameKind.ValueType(coded.kind),
                visual_tokens=coded.visual_tokens,
            )
            for coded in group.frames
        ],
        fence=group.fence,
    )


def coded_group_from_pb(message: pb.CodedFrameGroup) -> CodedFrameGroup:
    """A message as a coded group, or `InvalidMessage`."""
    frames = tuple(_coded_from_pb(frame) for frame in message.frames)
    return CodedFrameGroup(_key(message), message.time_ms, message.sequence, _some(frames), message.fence)


def _some(frames: tuple[F, ...]) -> tuple[F, ...]:
    if not frames:
        raise InvalidMessage("the frame group has no frames")
    return frames


def _key(message: pb.FrameGroup | pb.CodedFrameGroup) -> SessionKey:
    try:
        return SessionKey(message.tenant, message.session)
    except CoreError as error:
        raise InvalidMessage(f"the frame group names no session: {error}") from None


def _frame_to_pb(frame: Frame) -> pb.Frame:
    return pb.Frame(jpeg=frame.jpeg, width=frame.width, height=frame.height, capture_time_us=frame.capture_time_us)


def _frame_from_pb(message: pb.Frame) -> Frame:
    if not message.jpeg or message.width < 1 or message.height < 1:
        size = f"{message.width}x{message.height}"
        raise InvalidMessage(f"a frame of {size} pixels and {len(message.jpeg)} bytes is not a picture")
    return Frame(message.jpeg, message.width, message.height, message.capture_time_us)


def _coded_from_pb(message: pb.CodedFrame) -> CodedFrame:
    try:
        kind = FrameKind(message.kind)
    except ValueError:
        raise InvalidMessage(f"a coded frame of unknown kind {message.kind}") from None
    return CodedFrame(_frame_from_pb(message.frame), kind, message.visual_tokens)
