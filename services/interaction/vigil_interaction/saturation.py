"""How many sessions can a worker hold without being late? This is measured, because it depends on the model, the
engine, the pictures, the machine and what else runs there (design §1.2, §3).

A turn is late when its tick took longer than the session's cadence, or when it never came because a newer frame had
superseded its own. Once a window the share of late turns moves the figure: above `MAX_LATE_SHARE` for `LATE_WINDOWS`
in a row it falls below what is held, so that no session is admitted (a single late window may be a cold start). After
some quiet windows it grows again, a step at a time. Sessions that are held already are never sent away: their frames
are skipped instead.
"""

from dataclasses import dataclass, replace

MAX_LATE_SHARE = 0.05
QUIET_SHARE = 0.01
QUIET_WINDOWS = 3
LATE_WINDOWS = 2
MIN_TURNS = 8  # a window with fewer says nothing
GROWTH = 0.05  # of the limit, at least one session


@dataclass(frozen=True, slots=True)
class Window:
    """What happened in one window: sessions held at its end, turns that were due, and those of them that were late."""

    held: int
    due: int
    late: int

    @property
    def late_share(self) -> float:
        return self.late / self.due if self.due else 0.0


@dataclass(frozen=True, slots=True)
class Saturation:
    """`limit` is the configured capacity, `capacity` the measured one, between 1 and `limit`. `quiet` counts windows
    in a row without late turns, `late` those with too many."""

    limit: int
    capacity: int
    quiet: int = 0
    late_share: float = 0.0
    late: int = 0

    def after(self, window: Window, max_late_share: float = MAX_LATE_SHARE) -> "Saturation":
        """The figure after one more window."""
        if window.due < MIN_TURNS:
            return self._calm(0.0)
        share = window.late_share
        if share > max_late_share:
            return self._late(window.held, share)
        return self._calm(share) if share <= QUIET_SHARE else replace(self, quiet=0, late=0, late_share=share)

    def _late(self, held: int, share: float) -> "Saturation":
        late = replace(self, quiet=0, late=min(self.late + 1, LATE_WINDOWS), late_share=share)
        fits = max(1, int(held * (1 - share / 2)))
        return replace(late, capacity=min(self.capacity, fits)) if late.late == LATE_WINDOWS else late

    def _calm(self, share: float) -> "Saturation":
        if self.quiet + 1 < QUIET_WINDOWS or self.capacity == self.limit:
            return replace(self, quiet=min(self.quiet + 1, QUIET_WINDOWS), late=0, late_share=share)
        grown = self.capacity + max(1, int(self.limit * GROWTH))
        return replace(self, capacity=min(self.limit, grown), quiet=0, late=0, late_share=share)


def measuring(limit: int) -> Saturation:
    """The figure before anything was measured: what was configured."""
    return Saturation(limit, limit)
