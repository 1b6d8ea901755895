"""When the sound of a live source was heard, by this server's clock: its pictures have the same one. Pure."""

from dataclasses import dataclass, field

from vigil_ingestion.continuity import US_PER_S
from vigil_ingestion.lateness import Lag

LATE_US = 2 * US_PER_S  # nobody answers to what was said so long ago


@dataclass(slots=True)
class Arrivals:
    """Follows a source's sound as `Lag` follows its pictures: sound that was held up is of when it was heard, and not
    of when it came."""

    lag: Lag = field(default_factory=Lag)

    def heard_us(self, now_us: int, position_us: int | None, duration_us: int) -> int | None:
        """When sound began that ends now unless it was held up; None when that is too long ago."""
        if position_us is None:
            return now_us - duration_us
        self.lag, lag_us = self.lag.step(now_us, position_us + duration_us)
        return None if lag_us > LATE_US else now_us - lag_us - duration_us
