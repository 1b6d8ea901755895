"""How long to wait before something is tried again. Pure: the random number is an argument."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Doubles from `first_s` to `last_s`, jittered by ± `jitter`; a run of `forgive_s` or more starts over."""

    first_s: float = 0.25
    last_s: float = 5.0
    jitter: float = 0.3
    forgive_s: float = 20.0

    def failures(self, before: int, ran_s: float) -> int:
        """Failures in a row after one more death, for something that had run for `ran_s` seconds."""
        return 1 if ran_s >= self.forgive_s else before + 1

    def delay_s(self, failures: int, uniform: float) -> float:
        """Seconds to wait after that many failures in a row; `uniform` is a random number in [0, 1)."""
        plain = min(self.last_s, self.first_s * 2.0 ** min(failures - 1, 16))
        return plain * (1.0 + self.jitter * (2.0 * uniform - 1.0))
