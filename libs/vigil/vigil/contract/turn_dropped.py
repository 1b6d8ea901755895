"""A dropped turn on the bus: nobody decides on these pictures, and who waits for the decision is told why.

Live only: it helps whoever waits now. The dropped turn itself leaves no trace in the session (design §1.5).
"""

from dataclasses import dataclass
from enum import IntEnum

from google.protobuf.message import DecodeError

from vigil.contract.errors import InvalidMessage
from vigil.core.errors import CoreError
from vigil.core.ids import SessionKey
from vigil.v1 import turn_pb2 as pb

MAX_DETAIL_CHARS = 500


class DropReason(IntEnum):
    """Why nobody decides."""

    ENGINE_FAILED = pb.DROP_REASON_ENGINE_FAILED
    ENGINE_REFUSED = pb.DROP_REASON_ENGINE_REFUSED
    STORE = pb.DROP_REASON_STORE
    NOT_NEWER = pb.DROP_REASON_NOT_NEWER
    IDLE = pb.DROP_REASON_IDLE
    DAMAGED = pb.DROP_REASON_DAMAGED
    OVERTAKEN = pb.DROP_REASON_OVERTAKEN


@dataclass(frozen=True, slots=True)
class TurnDropped:
    """The group of pictures of this model time and capture time is not decided on; `detail` says why in words."""

    key: SessionKey
    time_ms: int
    capture_time_us: int
    reason: DropReason
    detail: str


def encode_dropped(dropped: TurnDropped) -> bytes:
    """A dropped turn as bytes for `subjects.turn_dropped`; a long detail is cut."""
    message = pb.TurnDropped(
        tenant=dropped.key.tenant,
        session=dropped.key.session,
        time_ms=dropped.time_ms,
        capture_time_us=dropped.capture_time_us,
        reason=pb.DropReason.ValueType(dropped.reason),
        detail=dropped.detail[:MAX_DETAIL_CHARS],
    )
    return message.SerializeToString()


def decode_dropped(data: bytes) -> TurnDropped:
    """Read what `encode_dropped` wrote, or raise `InvalidMessage`."""
    try:
        message = pb.TurnDropped.FromString(data)
        key = SessionKey(message.tenant, message.session)
        reason = DropReason(message.reason)
    except DecodeError:
        raise InvalidMessage("these bytes are not a TurnDropped") from None
    except (CoreError, ValueError) as error:
        raise InvalidMessage(f"a dropped turn that cannot be read: {error}") from None
    return TurnDropped(key, message.time_ms, message.capture_time_us, reason, message.detail)
