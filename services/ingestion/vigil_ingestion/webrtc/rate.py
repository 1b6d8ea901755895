"""How many pictures a second a client sends: measured once, over the first seconds. Pure."""

from dataclasses import dataclass, replace

from vigil_ingestion.continuity import US_PER_S

MEASURED_US = 4 * US_PER_S


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` is 0 until it is known."""

    per_s: float = 0.0
    begun_us: int | None = None
    count: int = 0

    def step(self, now_us: int) -> "Rate":
        """The state after a picture."""
        if self.per_s:
            return self
        if self.begun_us is None:
            return replace(self, begun_us=now_us)
        count, span_us = self.count + 1, now_us - self.begun_us
        if span_us < MEASURED_US:
            return replace(self, count=count)
        return replace(self, count=count, per_s=round(count * US_PER_S / span_us, 1))
