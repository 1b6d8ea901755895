"""The present is never late: what to do with packets when decoding fell behind the source. Pure.

A camera's time stamps are no clock: they run fast or slow, and they jump. So stamps alone never say that a picture is
old. A picture is old only while newer ones exist: while this process does not keep up, or while pictures come faster
than the camera makes them.
"""

from dataclasses import dataclass, field, replace
from enum import Enum, auto

from vigil_ingestion.continuity import US_PER_S

BACK_US = US_PER_S // 2  # stamps that go back by more were set back; reordered pictures go back by less
AHEAD_US = US_PER_S  # a stamp that is at once so much ahead of all stamps before was set forward
STALL_US = US_PER_S // 4  # a picture that comes so much later than its stamp says was held up somewhere
SETTLE_US = 300_000  # how long pictures are watched before the lag is judged again
CATCHING_UP = 1.25  # pictures that come so much faster than their stamps say are old ones, sent after a stall
WAITED_SHARE = 0.25  # a process that waits for its source for so much of the time has nothing older in hand
UNSURE_US = 4 * US_PER_S  # a lag that was not judged yet counts as this at most: pictures are hidden, yet decoded


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
class Window:
    """What was seen since the lag was judged last. It is `unsure` when it began with a picture that came late."""

    begun_us: int = 0
    position_us: int = 0
    lowest_us: int = 0
    waited_us: int = 0
    unsure: bool = False

    def is_first(self, newest: "Lag") -> bool:
        """Whether it began with the newest packet, which came late."""
        return self.unsure and (self.begun_us, self.position_us) == (newest.now_us, newest.position_us)

    def is_on_time(self, now_us: int, position_us: int) -> bool:
        """Whether its pictures came as the camera made them, and none had to wait for this process."""
        span_us = now_us - self.begun_us
        return self.waited_us >= span_us * WAITED_SHARE and position_us - self.position_us <= span_us * CATCHING_UP


@dataclass(frozen=True, slots=True)
class Lag:
    """How late a live source's pictures are, compared with pictures that were on time.

    `on_time_us` is arrival minus stamp of a picture that is on time; earlier arrivals lower it. It rises to what is
    usual now as soon as pictures come as the camera makes them: so a slow clock, or a way that has become longer for
    good, hides pictures for less than half a second. `drift` forgives a slow clock while this process is too busy to
    tell. Stamps that jump leave the lag as it was. `jump_us` is by how much the newest packet's stamp jumped; it is
    negative for a clock that was set back and for a way that became longer.
    """

    drift: float = 5e-4
    on_time_us: int | None = None
    now_us: int = 0
    position_us: int = 0
    jump_us: int = 0
    window: Window = field(default_factory=Window)

    def step(self, now_us: int, position_us: int, waited_us: int | None = None) -> "tuple[Lag, int]":
        """The state after a packet stamped `position_us` was read at `now_us`, and its lag in microseconds.

        `waited_us` is how long this process waited for it; when left out, all the time since the packet before.
        """
        newest = replace(self, now_us=now_us, position_us=position_us, jump_us=0)
        if self.on_time_us is None:
            return newest._based(now_us - position_us), 0
        elapsed_us, advance_us = now_us - self.now_us, position_us - self.position_us
        waited_us = elapsed_us if waited_us is None else waited_us
        if jump_us := self._jump_us(elapsed_us, advance_us, waited_us):
            newest = replace(newest._based(self.on_time_us - jump_us), jump_us=jump_us)
        elif waited_us > STALL_US and elapsed_us - advance_us > STALL_US:
            newest = newest._held_up(twice=self.window.is_first(self))
        else:
            newest = newest._judged(int(elapsed_us * self.drift), waited_us)
        return newest, newest._lag_us(advance_us)

    @property
    def _offset_us(self) -> int:
        return self.now_us - self.position_us

    def _based(self, on_time_us: int, *, unsure: bool = False) -> "Lag":
        window = Window(self.now_us, self.position_us, self._offset_us, unsure=unsure)
        return replace(self, on_time_us=min(on_time_us, self._offset_us), window=window)

    def _jump_us(self, elapsed_us: int, advance_us: int, waited_us: int) -> int:
        """By how much the stamps jumped between the newest packet and one that comes after it."""
        was_set_back = advance_us < -BACK_US or (advance_us < 0 and waited_us > STALL_US)
        ahead_us = (self.on_time_us or 0) - (self._offset_us + elapsed_us - advance_us)
        was_set_forward = ahead_us > AHEAD_US and advance_us - elapsed_us > AHEAD_US
        return advance_us - elapsed_us if was_set_back or was_set_forward else 0

    def _held_up(self, *, twice: bool) -> "Lag":
        """After a picture that was waited for and came late: the next ones tell whether it is old.

        Twice in a row means that the first was the newest picture: the source is slow, and not behind.
        """
        return self._based(self._offset_us if twice else self.on_time_us or 0, unsure=True)

    def _judged(self, forgiven_us: int, waited_us: int) -> "Lag":
        on_time_us = min((self.on_time_us or 0) + forgiven_us, self._offset_us)
        lowest_us = min(self.window.lowest_us, self._offset_us)
        window = replace(self.window, lowest_us=lowest_us, waited_us=self.window.waited_us + waited_us)
        if self.now_us - window.begun_us < SETTLE_US:
            return replace(self, on_time_us=on_time_us, window=window)
        if not window.is_on_time(self.now_us, self.position_us):
            return self._based(on_time_us)
        later_us = lowest_us - on_time_us
        return replace(self._based(lowest_us), jump_us=-later_us if later_us > BACK_US else 0)

    def _lag_us(self, advance_us: int) -> int:
        """A picture that is late by less than the time since the one before is still the newest there is."""
        lag_us = self._offset_us - (self.on_time_us or 0)
        if lag_us < advance_us:
            return 0
        return min(lag_us, UNSURE_US) if self.window.unsure else lag_us
