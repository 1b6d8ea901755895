"""What the gateway asks of the ingestion worker that holds a WebRTC session, and the worker's answer, as bytes."""

from dataclasses import dataclass
from enum import StrEnum

from google.protobuf.message import DecodeError

from vigil.contract.errors import InvalidMessage
from vigil.v1 import webrtc_pb2 as pb

LONGEST_SDP = 65_536  # bytes of an offer or a fragment; what browsers offer takes a tenth of it


@dataclass(frozen=True, slots=True)
class Offer:
    """A client offers its camera or screen. With `replaces` it takes the place of the connection that sends now.
    With `brings_session` the session was made for it: where it does not connect, the session is over after its grace
    time."""

    sdp: str
    replaces: bool = False
    brings_session: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """More addresses of the client, as `application/trickle-ice-sdpfrag` (RFC 8840)."""

    resource: str
    sdp_fragment: str


@dataclass(frozen=True, slots=True)
class Close:
    """The client ends its connection. The session goes on for its grace time: the client may come back."""

    resource: str


Request = Offer | Candidates | Close


class Refusal(StrEnum):
    """Why a worker does not do what it was asked. Names as the contract has them, in lower case."""

    WRONG_OFFER = "wrong_offer"
    NO_VIDEO = "no_video"
    UNSUPPORTED_CODEC = "unsupported_codec"
    UNKNOWN_RESOURCE = "unknown_resource"
    BUSY = "busy"
    ICE_RESTART_UNSUPPORTED = "ice_restart_unsupported"
    ALREADY_SENDING = "already_sending"


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request. `refusal` is None when it was done; `message` says why not, and what to do.

    To an `Offer` the answer is `answer_sdp`, with the name of the connection, `resource`: it has one ICE session for as
    long as it lasts.
    """

    resource: str = ""
    answer_sdp: str = ""
    refusal: Refusal | None = None
    message: str = ""


def encode_request(request: Request) -> bytes:
    """A request as bytes for `subjects.signalling`."""
    match request:
        case Offer(sdp, replaces, brings_session):
            offer = pb.Offer(sdp=sdp, replaces=replaces, brings_session=brings_session)
            message = pb.SignallingRequest(offer=offer)
        case Candidates(resource, fragment):
            message = pb.SignallingRequest(candidates=pb.Candidates(resource=resource, sdp_fragment=fragment))
        case Close(resource):
            message = pb.SignallingRequest(close=pb.Close(resource=resource))
    return message.SerializeToString()


def decode_request(data: bytes) -> Request:
    """Read what `encode_request` wrote, or raise `InvalidMessage`."""
    try:
        message = pb.SignallingRequest.FromString(data)
    except DecodeError:
        raise InvalidMessage("these bytes are not a SignallingRequest") from None
    match message.WhichOneof("request"):
        case "offer":
            return Offer(message.offer.sdp, message.offer.replaces, message.offer.brings_session)
        case "candidates":
            return Candidates(message.candidates.resource, message.candidates.sdp_fragment)
        case "close":
            return Close(message.close.resource)
        case _:
            raise InvalidMessage("the SignallingRequest asks for nothing that is known here")


def encode_reply(reply: Reply) -> bytes:
    """A reply as bytes."""
    return pb.SignallingReply(
        resource=reply.resource,
        answer_sdp=reply.answer_sdp,
        refusal=pb.REFUSAL_UNSPECIFIED if reply.refusal is None else pb.Refusal.Value(_name(reply.refusal)),
        message=reply.message,
    ).SerializeToString()


def decode_reply(data: bytes) -> Reply:
    """Read what `encode_reply` wrote, or raise `InvalidMessage`."""
    try:
        message = pb.SignallingReply.FromString(data)
        refusal = _refusal(message.refusal)
    except (DecodeError, ValueError):
        raise InvalidMessage("these bytes are not a SignallingReply") from None
    return Reply(message.resource, message.answer_sdp, refusal, message.message)


def _name(refusal: Refusal) -> str:
    return f"REFUSAL_{refusal.name}"


def _refusal(number: pb.Refusal.ValueType) -> Refusal | None:
    if number == pb.REFUSAL_UNSPECIFIED:
        return None
    return Refusal(pb.Refusal.Name(number).removeprefix("REFUSAL_").lower())
