"""How long to wait before something is tried again. Pure: the caller gives the random number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits grow from `first_s` by `factor` up to `most_s`, each made shorter by up to `jitter` of itself.

    There is no last attempt: a camera may be gone for a week and come back. The jitter spreads attempts that failed at
    the same time. A run that went well for `steady_s` resets the count of failures.
    """

    first_s: float = 0.5
    factor: float = 2.0
    most_s: float = 15.0
    jitter: float = 0.3
    steady_s: float = 10.0

    def delay_s(self, failures: int, chance: float) -> float:
        """Seconds to wait after `failures` in a row (from 1); `chance` in [0, 1)."""
        grown = self.first_s * self.factor ** min(failures - 1, 32)
        return min(grown, self.most_s) * (1 - self.jitter * chance)

    def failures_after(self, failures: int, lasted_s: float) -> int:
        """Failures in a row after another failure, when the run before it had lasted for `lasted_s`."""
        return 1 if lasted_s >= self.steady_s else failures + 1
