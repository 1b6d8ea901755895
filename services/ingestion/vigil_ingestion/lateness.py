"""The present is never late: what to do with packets when decoding fell behind the source. Pure."""

from dataclasses import dataclass, replace
from enum import Enum, auto

US_PER_S = 1_000_000


class Passage(Enum):
    """What becomes of a packet."""

    SHOW = auto()
    HIDE = auto()  # decode it, because later pictures need it, but do not show it: it is old
    SKIP = auto()  # do not decode it


@dataclass(frozen=True, slots=True)
class Gate:
    """Decides on each packet by how late it is.

    A packet that is at most `late_us` late is shown. A later packet is decoded and not shown; decoding is faster than
    the source, so a short stall is caught up at once. Beyond `lost_us` nothing is decoded until a key frame is at most
    `on_time_us` late: so a process without enough time recovers, and the next picture is whole.
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
    """How late a live source's pictures are, compared with the picture that arrived earliest for its time stamp.

    `drift` allows for a camera clock that runs slower than ours. A jump beyond `jump_us` means that the camera set its
    clock; it does not count as a delay.
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
