"""What travels over a WebSocket, as JSON: the client's messages read, the server's written. Pure.

A picture comes as `push_frame` with base64, or as a binary message: four bytes with the length of a header (unsigned,
big-endian), the header (the same JSON, without `jpeg`), then the picture's bytes.
"""

import struct
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from pydantic import Field, TypeAdapter

from vigil.contract.decision import StoredDecision, decision_json
from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway.api.models.base import BrainName, In, Text
from vigil_gateway.api.models.live import PictureIn
from vigil_gateway.api.problems import Problem
from vigil_gateway.api.turn_errors import PictureRefused
from vigil_gateway.live.feed import LiveEvent
from vigil_gateway.pushed.data_url import from_base64

_LENGTH = struct.Struct(">I")
MAX_HEADER_BYTES = 64 * 1024

MAX_ID_CHARS = 128
MAX_ID = 2**63 - 1

Id = Annotated[
    Annotated[str, Field(max_length=MAX_ID_CHARS)] | Annotated[int, Field(ge=-MAX_ID, le=MAX_ID)] | None,
    Field(description="The client's own; the answer to this message has the same one"),
]


class PushFrame(PictureIn):
    """Show one picture: JPEG, PNG or WebP in base64."""

    type: Literal["push_frame"]
    id: Id = None
    jpeg: str = ""


class Ask(In):
    """Ask about what the session sees."""

    type: Literal["ask"]
    id: Id = None
    text: Text
    brain: BrainName = ""


class End(In):
    """End the session."""

    type: Literal["end"]
    id: Id = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that the client pushes; `data` are its bytes as they came, at `arrived_us` since the epoch."""

    id: str | int | None
    data: bytes
    options: PictureIn
    arrived_us: int = field(default_factory=now_us, compare=False)


ClientMessage = Shown | Ask | End

_MESSAGE: TypeAdapter[PushFrame | Ask | End] = TypeAdapter(
    Annotated[PushFrame | Ask | End, Field(discriminator="type")]
)


def read_text(text: str) -> ClientMessage:
    """One text message. Raises pydantic's `ValidationError`, `PictureRefused`."""
    message = _MESSAGE.validate_json(text)
    if not isinstance(message, PushFrame):
        return message
    return _shown(message, from_base64(message.jpeg))


def read_binary(message: bytes) -> Shown:
    """One binary message. Raises pydantic's `ValidationError`, `PictureRefused`."""
    size = _LENGTH.unpack_from(message)[0] if len(message) >= _LENGTH.size else MAX_HEADER_BYTES + 1
    begin = _LENGTH.size + size
    if size > MAX_HEADER_BYTES or begin > len(message):
        raise PictureRefused("a binary message is 4 bytes with the length of its header, the header, the picture")
    return _shown(PushFrame.model_validate_json(message[_LENGTH.size : begin]), message[begin:])


def id_of(text: str) -> str | int | None:
    """The `id` of a message that could not be read, where there is one; a text that is too long is cut."""
    try:
        found = msgspec.json.decode(text)
    except UNREADABLE:
        return None
    given = found.get("id") if isinstance(found, dict) else None
    if isinstance(given, str):
        return given[:MAX_ID_CHARS]
    return given if isinstance(given, int) and abs(given) <= MAX_ID else None


def event_text(event: LiveEvent) -> str:
    """A live event."""
    return _text({"type": event.kind, "data": msgspec.Raw(event.data)})


def answer_text(picture_id: str | int | None, decision: StoredDecision, superseded: int) -> str:
    """The decision on a pushed picture; `superseded` pictures before it were not shown, for a newer one came."""
    return _text({"type": "answer", "id": picture_id, "superseded": superseded, "data": decision_json(decision)})


def accepted_text(message_id: str | int | None, accepted: str) -> str:
    """A question or an end is accepted; `accepted` is the question's id."""
    return _text({"type": "accepted", "id": message_id, "data": {"id": accepted}})


def problem_text(message_id: str | int | None, problem: Problem) -> str:
    """What was wrong with a message, as RFC 9457 problem details."""
    return _text({"type": "problem", "id": message_id, "data": problem.as_json()})


def _shown(message: PushFrame, data: bytes) -> Shown:
    options = PictureIn(time_s=message.time_s, question=message.question)
    return Shown(message.id, data, options)


def _text(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()
