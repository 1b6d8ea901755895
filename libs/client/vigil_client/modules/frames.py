"""The pictures of a turn, read from the bytes in which ingestion publishes them (`FrameGroup` of `frame.proto`).

A client needs no library of protobuf for six numbers and a JPEG: this reads the wire format and skips what it does not
know, as protobuf says (https://protobuf.dev/programming-guides/encoding/).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from vigil_client.errors import BadMessage

VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10
_SIGN, _RANGE = 1 << 63, 1 << 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a session: a JPEG of `width` x `height` pixels, as the model sees it.

    `capture_time_us` is when it was seen, in microseconds since the Unix epoch: the clock of everything that Vigil
    tells. `time_s` is the time of its turn since the session's first picture.
    """

    session: str
    jpeg: bytes = field(repr=False)
    width: int
    height: int
    capture_time_us: int
    time_s: float = 0.0

    @property
    def capture_time(self) -> datetime:
        """When it was seen."""
        return _EPOCH + timedelta(microseconds=self.capture_time_us)


def newest_frame(payload: bytes) -> Frame:
    """The last picture of a group. Raises `BadMessage`."""
    session, time_ms, newest = "", 0, b""
    for number, value in _fields(payload):
        match number, value:
            case 2, bytes():
                session = value.decode("utf-8", "replace")
            case 3, int():
                time_ms = _signed(value)
            case 5, bytes():
                newest = value
    if not session or not newest:
        raise BadMessage("not a group of frames of Vigil: it names no session, or has no picture")
    return _frame(newest, session, time_ms / 1_000)


def _frame(payload: bytes, session: str, time_s: float) -> Frame:
    jpeg, width, height, capture_time_us = b"", 0, 0, 0
    for number, value in _fields(payload):
        match number, value:
            case 1, bytes():
                jpeg = value
            case 2, int():
                width = value
            case 3, int():
                height = value
            case 4, int():
                capture_time_us = _signed(value)
    if not jpeg or not 0 < width <= 0xFFFF or not 0 < height <= 0xFFFF:
        raise BadMessage(f"not a picture of Vigil: {width} x {height} pixels in {len(jpeg)} bytes")
    return Frame(session, jpeg, width, height, capture_time_us, time_s)


def _fields(payload: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field of a message: its number, with a number or bytes."""
    place = 0
    while place < len(payload):
        tag, place = _varint(payload, place)
        kind = tag & 7
        if kind == VARINT:
            value, place = _varint(payload, place)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            length, place = _varint(payload, place)
        else:
            length = {FIXED_64: 8, FIXED_32: 4}.get(kind, len(payload))
        if length > len(payload) - place:
            raise BadMessage("not a group of frames of Vigil: it is cut off")
        yield tag >> 3, payload[place : place + length]
        place += length


def _varint(payload: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and where it ends."""
    value = 0
    for index, byte in enumerate(payload[place : place + _MAX_VARINT_BYTES]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value % _RANGE, place + index + 1
    raise BadMessage("not a group of frames of Vigil: a number in it has no end")


def _signed(value: int) -> int:
    return value - _RANGE if value >= _SIGN else value
