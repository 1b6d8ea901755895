"""How long to wait before a source is opened again: pure values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits grow from `first_s` by `factor` up to `most_s`, each made shorter by up to `jitter` of itself.

    There is no last attempt: a camera may be gone for a week and come back. The jitter keeps the cameras of a site
    whose switch restarted from all calling at once.
    """

    first_s: float = 0.5
    factor: float = 2.0
    most_s: float = 15.0
    jitter: float = 0.3
    steady_s: float = 10.0

    def delay_s(self, failures: int, chance: float) -> float:
        """Seconds to wait after `failures` in a row (from 1); `chance` in [0, 1) comes from the caller's dice."""
        grown = self.first_s * self.factor ** min(failures - 1, 32)
        return min(grown, self.most_s) * (1 - self.jitter * chance)

    def failures_after(self, failures: int, watched_s: float) -> int:
        """Failures in a row, counting one more; a connection that gave pictures for `steady_s` forgives the past."""
        return 1 if watched_s >= self.steady_s else failures + 1
