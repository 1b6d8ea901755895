"""The present is never late: what to do with packets when decoding fell behind the source. Pure."""

from dataclasses import dataclass, replace
from enum import Enum, auto

US_PER_S = 1_000_000


class Passage(Enum):
    """What becomes of a packet."""

    SHOW = auto()
    HIDE = auto()  # decode it, as later pictures build on it, but let nobody see what is old
    SKIP = auto()  # leave it undecoded


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets packets through until they are `late_us` behind. What is later is decoded unseen, which is faster than
    the source and so catches up with a short stall at once. Beyond `lost_us` that is hopeless: then nothing is decoded
    before a key frame that is on time again, so a starved process recovers and what it decodes next is whole.
    """

    late_us: int = 1 * US_PER_S
    lost_us: int = 4 * US_PER_S
    on_time_us: int = US_PER_S // 4
    skipping: bool = False

    def step(self, lag_us: int, key_frame: bool) -> "tuple[Gate, Passage]":
        """The gate after a packet, and what becomes of that packet."""
        caught_up = key_frame and lag_us <= self.on_time_us
        skipping = not caught_up if self.skipping else lag_us > self.lost_us
        gate = self if skipping == self.skipping else replace(self, skipping=skipping)
        if skipping:
            return gate, Passage.SKIP
        return gate, Passage.HIDE if lag_us > self.late_us else Passage.SHOW


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a live source's pictures are behind the earliest that one of them ever arrived.

    `drift` forgives a camera clock that runs slower than ours; a jump beyond `jump_us` is a camera that set its
    clock, not a delay.
    """

    drift: float = 5e-4
    jump_us: int = 30 * US_PER_S
    earliest_us: int | None = None
    seen_us: int = 0

    def step(self, now_us: int, position_us: int) -> "tuple[Lag, int]":
        """The state after a picture of stream time `position_us` arrived at `now_us`, and its lag in microseconds."""
        offset_us = now_us - position_us
        if self.earliest_us is None or abs(offset_us - self.earliest_us) > self.jump_us:
            return replace(self, earliest_us=offset_us, seen_us=now_us), 0
        forgiven_us = self.earliest_us + int((now_us - self.seen_us) * self.drift)
        earliest_us = min(forgiven_us, offset_us)
        return replace(self, earliest_us=earliest_us, seen_us=now_us), offset_us - earliest_us
