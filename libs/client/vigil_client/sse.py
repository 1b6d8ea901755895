"""Server-sent events, read incrementally. Pure: bytes in, events out."""

from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event as the server sent it."""

    kind: str
    data: str
    id: str = ""


class Parser:
    """Feed it what arrives; it yields each event that a blank line completes. Comments (heartbeats) are dropped.

    `last_id` is that of the last whole event, at first what the last stream's was: from there the server goes on.
    """

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self._rest = b""
        self._kind = ""
        self._id = last_id
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Yield the events that `chunk` completes. Raises ValueError for an event without an end."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ValueError(f"an event line of more than {MAX_EVENT_BYTES} bytes")
        for line in lines:
            yield from self._line(line.decode(errors="replace").rstrip("\r"))

    def _line(self, line: str) -> Iterator[ServerEvent]:
        if not line:
            self.last_id = self._id
            if self._data:
                yield ServerEvent(self._kind or "message", "\n".join(self._data), self._id)
            self._kind, self._data = "", []
            return
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))

    def _field(self, name: str, value: str) -> None:
        match name:
            case "event":
                self._kind = value
            case "data":
                self._data.append(value)
            case "id":
                self._id = value
