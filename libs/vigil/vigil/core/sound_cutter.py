"""Cuts sound into chunks of one length, each with its capture time. Pure."""

from dataclasses import dataclass, replace

from vigil.core.sound import MIN_CHUNK_MS, chunk_bytes, length_us

CHUNK_MS = 40
_CHUNK_BYTES = chunk_bytes(CHUNK_MS)
_LEAST_BYTES = chunk_bytes(MIN_CHUNK_MS)
GAP_US = 60_000  # sound that begins so much after the end of the sound before does not follow it
_PULL = 16  # which share of a smaller difference is made up for at once: capture times jitter, and clocks drift


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk of sound; its first sample was heard at `time_us`."""

    time_us: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Cutter:
    """What was not cut yet: `rest`, which ends at `until_us`; None before any sound."""

    rest: bytes = b""
    until_us: int | None = None

    def step(self, time_us: int, pcm: bytes) -> "tuple[Cutter, tuple[Piece, ...]]":
        """The state after sound that begins at `time_us`, and the chunks that are whole by now.

        Times follow the samples; towards times that differ a little they are pulled slowly. They never go back: sound
        that claims to be of earlier is told half as fast until it agrees. Behind a gap chunks begin anew.
        """
        if self.until_us is None or time_us - self.until_us > GAP_US:
            cutter, pieces = Cutter(until_us=time_us), self._left()
        else:
            cutter, pieces = replace(self, until_us=self.until_us + self._pulled_us(time_us, pcm)), ()
        rest, end_us = cutter.rest + pcm, (cutter.until_us or 0) + length_us(len(pcm))
        begin_us = end_us - length_us(len(rest))
        whole = len(rest) // _CHUNK_BYTES * _CHUNK_BYTES
        cut = tuple(
            Piece(begin_us + length_us(at), rest[at : at + _CHUNK_BYTES]) for at in range(0, whole, _CHUNK_BYTES)
        )
        return Cutter(rest[whole:], end_us), pieces + cut

    def _pulled_us(self, time_us: int, pcm: bytes) -> int:
        ahead_us = (self.until_us or 0) - time_us
        return -ahead_us // _PULL if ahead_us <= GAP_US else -min(ahead_us, length_us(len(pcm)) // 2)

    def _left(self) -> tuple[Piece, ...]:
        """What stands before a gap, unless it is too short to be a chunk."""
        if self.until_us is None or len(self.rest) < _LEAST_BYTES:
            return ()
        return (Piece(self.until_us - length_us(len(self.rest)), self.rest),)
