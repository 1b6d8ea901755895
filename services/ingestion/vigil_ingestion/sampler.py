"""Which frames a turn sees: a pure state machine over capture times.

Time since the session's first frame is cut into slots of the cadence's interval, and each slot into as many equal
parts as a turn has frames; the first frame of a part represents the part. A slot's model time is its start, so it
follows capture time alone: frames that are late, lost or skipped leave a gap, never a drift (paper §3.1).
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from vigil.core.session import Cadence

Frame = TypeVar("Frame")

NOTHING = -1


@dataclass(frozen=True, slots=True)
class Group(Generic[Frame]):
    """The frames of one turn, in capture order; at least one. `time_ms` is the start of their slot."""

    time_ms: int
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Sampler(Generic[Frame]):
    """Samples one session. `origin_us` is the capture time of its first frame, `last_ms` the newest group's time."""

    cadence: Cadence
    origin_us: int
    last_ms: int = NOTHING
    slot: int = NOTHING
    part: int = NOTHING
    frames: tuple[Frame, ...] = ()

    def wants(self, capture_us: int) -> bool:
        """Whether a frame captured at that time would be sampled. Ask before working on its pixels."""
        slot, part = self._place(capture_us)
        if slot < 0 or slot * self.cadence.interval_ms <= self.last_ms:
            return False
        return (slot, part) > (self.slot, self.part)

    def add(self, capture_us: int, frame: Frame) -> "tuple[Sampler[Frame], tuple[Group[Frame], ...]]":
        """Take a wanted frame. Returns the new state and the groups that it completes, oldest first: at most two.

        The frame of a slot's last part completes its group. When a later slot begins before that, the group is
        returned with the frames that it has.
        """
        slot, part = self._place(capture_us)
        done: tuple[Group[Frame], ...] = ()
        held = self.frames
        if held and slot != self.slot:
            done, held = (self._group(),), ()
        now = replace(self, slot=slot, part=part, frames=(*held, frame))
        if part == self.cadence.frames_per_turn - 1:
            done = (*done, now._group())
            now = replace(now, frames=())
        return replace(now, last_ms=done[-1].time_ms if done else self.last_ms), done

    def retuned(self, cadence: Cadence) -> "Sampler[Frame]":
        """The same session at another cadence. Its clock goes on; an unfinished group is dropped."""
        if cadence == self.cadence:
            return self
        return Sampler(cadence, self.origin_us, self.last_ms)

    def _place(self, capture_us: int) -> tuple[int, int]:
        interval_us = self.cadence.interval_ms * 1_000
        slot, within_us = divmod(capture_us - self.origin_us, interval_us)
        return slot, within_us * self.cadence.frames_per_turn // interval_us

    def _group(self) -> Group[Frame]:
        return Group(self.slot * self.cadence.interval_ms, self.frames)
