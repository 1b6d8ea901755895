"""Reading what a brain sends without ever holding more than a bound of it. Pure.

A brain may send 200 MB. What is over a bound is not read: the connection is closed or the process killed, and the
answer says that it was cut.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from vigil_brain.brains.port import BrainError

MAX_TEXT_CHARS = 262_144
MAX_EVENT_BYTES = 16 * 1024 * 1024  # of one server-sent event or one line: an artefact of 8 MiB in base64, and room


class Flooded(Exception):
    """More came than is read in all. What came before may be used."""


class Allowance:
    """How many bytes of a brain's output may still be read."""

    def __init__(self, most: int) -> None:
        self._most = self.left = most

    def take(self, count: int) -> None:
        """Count bytes that came. Raises `Flooded` when they are too many."""
        self.left -= count
        if self.left < 0:
            raise Flooded(f"more than {self._most:,} bytes")


class BoundedText:
    """The text of an answer while it comes in pieces; what is over the bound is let go."""

    def __init__(self, most: int = MAX_TEXT_CHARS) -> None:
        self._most = most
        self._pieces: list[str] = []
        self._chars = 0
        self.was_cut = False

    def append(self, piece: str) -> None:
        """Keep as much of `piece` as there is room for."""
        room = self._most - self._chars
        self.was_cut = self.was_cut or len(piece) > room
        if piece := piece[:room]:
            self._pieces.append(piece)
            self._chars += len(piece)

    def cut(self) -> None:
        """Say that more would have come."""
        self.was_cut = True

    @property
    def text(self) -> str:
        """What was kept, and whether something was cut."""
        text = "".join(self._pieces).strip()
        return f"{text}\n\n[The rest of this answer was too long and was cut.]" if self.was_cut else text


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One server-sent event: its name (`message` when it has none) and its data."""

    name: str
    data: str


class EventParser:
    """Server-sent events out of bytes as they come. Comments, ids and retry times are passed over."""

    def __init__(self) -> None:
        self._lines = LineParser()
        self._name = ""
        self._data: list[str] = []
        self._bytes = 0

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that `chunk` completes. Raises `BrainError` when one is over `MAX_EVENT_BYTES`."""
        for line in self._lines.feed(chunk):
            if not line:
                if self._data:
                    yield ServerEvent(self._name or "message", "\n".join(self._data))
                self._name, self._data, self._bytes = "", [], 0
                continue
            self._bytes += len(line)
            if self._bytes > MAX_EVENT_BYTES:
                raise too_long()
            field, _, value = line.decode("utf-8", "replace").partition(":")
            value = value.removeprefix(" ")
            if field == "data":
                self._data.append(value)
            elif field == "event":
                self._name = value


class LineParser:
    """Lines out of bytes as they come, without their ends."""

    def __init__(self, most: int = MAX_EVENT_BYTES) -> None:
        self._most = most
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The lines that `chunk` completes. Raises `BrainError` when one is over the bound."""
        *whole, rest = chunk.split(b"\n")
        for piece in whole:
            self._rest += piece
            line = bytes(self._rest)
            self._rest.clear()
            self._check(len(line))
            yield line.removesuffix(b"\r")
        self._rest += rest
        self._check(len(self._rest))

    def last(self) -> bytes:
        """What came behind the last end of a line."""
        return bytes(self._rest)

    def _check(self, count: int) -> None:
        if count > self._most:
            raise too_long()


def too_long() -> BrainError:
    """A single line or event is over the bound: nothing of it can be used."""
    return BrainError(f"the brain sent a line of more than {MAX_EVENT_BYTES:,} bytes: its output cannot be read")
