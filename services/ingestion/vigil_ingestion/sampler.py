"""Which frames a turn sees: a pure state machine over capture times.

Time since the session's first frame is cut into slots of the cadence's interval, and each slot into as many equal
parts as a turn has frames; the first frame of a part represents the part. A slot's model time is its start, so it
follows capture time alone: frames that are late, lost or skipped leave a gap, never a drift (paper §3.1).

A picture that is `asked` for is shown at once: it completes the group of its slot, or makes one of its own where that
was given out already. The slots stay where they are.
"""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from vigil.core.session import Cadence

Frame = TypeVar("Frame")

NOTHING = -1
LEAST_GAP_MS = 200  # between a turn and one that is asked for: whoever asks again and again gets no more than that
_STEP_MS = 100  # in which the model is told times


@dataclass(frozen=True, slots=True)
class Group(Generic[Frame]):
    """The frames of one turn, in capture order; at least one. `time_ms` is the start of their slot."""

    time_ms: int
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class Sampler(Generic[Frame]):
    """Samples one session. `origin_us` is the capture time of its first frame, `last_ms` the newest group's time.
    `is_asked`: a picture is to be shown before its turn."""

    cadence: Cadence
    origin_us: int
    last_ms: int = NOTHING
    slot: int = NOTHING
    part: int = NOTHING
    frames: tuple[Frame, ...] = ()
    is_asked: bool = False

    def asked(self) -> "Sampler[Frame]":
        """Somebody waits for a turn: it is to see the next picture."""
        return replace(self, is_asked=True)

    def wants(self, capture_us: int) -> bool:
        """Whether a frame captured at that time would be sampled. Ask before working on its pixels."""
        slot, part = self._place(capture_us)
        if self.is_asked and self._asked_ms(capture_us) > self.last_ms:
            return True
        if slot < 0 or slot * self.cadence.interval_ms <= self.last_ms:
            return False
        return (slot, part) > (self.slot, self.part)

    def add(self, capture_us: int, frame: Frame) -> "tuple[Sampler[Frame], tuple[Group[Frame], ...]]":
        """Take a wanted frame. Returns the new state and the groups that it completes, oldest first: at most two.

        The frame of a slot's last part completes its group. When a later slot begins before that, the group is
        returned with the frames that it has. So is a group that is asked for, with this frame as its last.
        """
        slot, part = self._place(capture_us)
        done: tuple[Group[Frame], ...] = ()
        held = self.frames
        if held and slot != self.slot:
            done, held = (self._group(),), ()
        now = replace(self, slot=slot, part=part, frames=(*held, frame), is_asked=False)
        if self.is_asked or part == self.cadence.frames_per_turn - 1:
            done = (*done, now._group(self._asked_ms(capture_us) if self.is_asked else None))
            now = replace(now, frames=())
        return replace(now, last_ms=done[-1].time_ms if done else self.last_ms), done

    def retuned(self, cadence: Cadence) -> "Sampler[Frame]":
        """The same session at another cadence. Its clock goes on; an unfinished group is dropped."""
        if cadence == self.cadence:
            return self
        return Sampler(cadence, self.origin_us, self.last_ms, is_asked=self.is_asked)

    def _place(self, capture_us: int) -> tuple[int, int]:
        interval_us = self.cadence.interval_ms * 1_000
        slot, within_us = divmod(capture_us - self.origin_us, interval_us)
        return slot, within_us * self.cadence.frames_per_turn // interval_us

    def _asked_ms(self, capture_us: int) -> int:
        """The model time of a group that is asked for: its slot's, unless that was given out; below 0: not yet."""
        slot_ms = self._place(capture_us)[0] * self.cadence.interval_ms
        if slot_ms > self.last_ms:
            return slot_ms
        time_ms = (capture_us - self.origin_us) // 1_000
        return time_ms // _STEP_MS * _STEP_MS if time_ms >= self.last_ms + LEAST_GAP_MS else NOTHING

    def _group(self, time_ms: int | None = None) -> Group[Frame]:
        return Group(self.slot * self.cadence.interval_ms if time_ms is None else time_ms, self.frames)
