"""What a camera answers over RTSP, read strictly and written anew, so that it can send the media library nowhere. Pure.

The media library follows a redirect to any address, and sends packets to the `source` of any answer. Both would lead
past the policy. So each answer is taken apart here and put together again from what was understood; media that is
interleaved passes as it is.
"""

import re

LONGEST_HEAD = 65_536
LONGEST_BODY = 1_048_576
_STATUS = re.compile(r"RTSP/\d+\.\d+ +(\d{3})(?: .*)?")
_SOURCE = re.compile(r";\s*source\s*=[^;,]*", re.IGNORECASE)
_DROPPED = ("content-length:", "location:")


class Redirected(Exception):
    """A camera sent the media library elsewhere."""


class Unreadable(Exception):
    """What came is no RTSP."""


class Replies:
    """Takes bytes as they come and returns those that may go on. `host` is the camera's own IP address."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What may go on; a part of a message is held back. Raises `Redirected` and `Unreadable`."""
        self._held += data
        done = b""
        while self._held:
            length, message = self._media() if self._held.startswith(b"$") else self._text()
            if length == 0:
                break
            done, self._held = done + message, self._held[length:]
        return done

    def _media(self) -> tuple[int, bytes]:
        """All whole packets of interleaved media at the beginning, in one piece."""
        held, end = self._held, 0
        while held[end : end + 1] == b"$" and len(held) >= end + 4:
            after = end + 4 + int.from_bytes(held[end + 2 : end + 4])
            if after > len(held):
                break
            end = after
        return end, held[:end]

    def _text(self) -> tuple[int, bytes]:
        """A whole answer or request of the camera, or the line ends and noise before it."""
        if not self._held[:1].isupper():
            begins = re.search(rb"[$A-Z]", self._held)
            return (begins.start() if begins else len(self._held)), b""
        end = re.search(rb"\n\r*\n", self._held)
        if end is None:
            if len(self._held) > LONGEST_HEAD:
                raise Unreadable(f"an answer's head is longer than {LONGEST_HEAD} bytes")
            return 0, b""
        first, *lines = self._held[: end.start()].replace(b"\r", b"").decode("latin-1").split("\n")
        length = _content_length(lines)
        if len(self._held) < end.end() + length:
            return 0, b""
        body = self._held[end.end() : end.end() + length]
        kept = [self._line(line) for line in lines if line and not line.lower().startswith(_DROPPED)]
        kept += [f"Content-Length: {length}"] if length else []
        return end.end() + length, "\r\n".join((_checked(first), *kept, "", "")).encode("latin-1") + body

    def _line(self, line: str) -> str:
        """A header as it goes on: media that comes by UDP comes from the camera itself."""
        if not line.lower().startswith("transport:") or "server_port" not in line:
            return line
        return f"{_SOURCE.sub('', line)};source={self._host}"


def _checked(first: str) -> str:
    """The first line of an answer or of a camera's own request."""
    if not first.startswith("RTSP/"):
        return first
    status = _STATUS.fullmatch(first)
    if status is None:
        raise Unreadable("an answer's status cannot be read")
    if status[1].startswith("3"):
        raise Redirected
    return first


def _content_length(lines: list[str]) -> int:
    lengths = {line.partition(":")[2].strip() for line in lines if line.lower().startswith("content-length:")}
    if not lengths:
        return 0
    length = lengths.pop()
    if lengths or not length.isascii() or not length.isdigit() or int(length) > LONGEST_BODY:
        raise Unreadable("an answer's length cannot be read")
    return int(length)
