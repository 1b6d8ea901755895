"""What is known of one engine of a pool: a value that moves by what was seen. No I/O and no clock in it.

           answered / checked                     unreachable: at once
    (new) ─────────────────► up ◄──────────────► down
                              │ timeouts in a row          ▲
                              ▼                            │
                             hung ── a trial completes ── up

An engine that hangs still answers its health endpoint, so only a completion brings it back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

# One late answer is load; this many in a row with none in time between them is an engine that is stuck.
MAX_TIMEOUTS = 3


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """`models` are those it listed last, None until it has answered. `up_since_s` is monotonic time."""

    models: frozenset[str] | None = None
    up: bool = False
    hung: bool = False
    timeouts: int = 0
    up_since_s: float = 0.0
    fault: str = "it has not been asked yet"

    def may_serve(self, model: str) -> bool:
        """Whether it lists the model, or has never said what it lists."""
        return self.models is None or model in self.models

    def checked(self, models: Iterable[str], now_s: float) -> "EngineHealth":
        """It answered its checks, and a trial if it hung."""
        since = self.up_since_s if self.up else now_s
        return EngineHealth(frozenset(models), up=True, timeouts=self.timeouts if self.up else 0, up_since_s=since)

    def answered(self, now_s: float) -> "EngineHealth":
        """It completed a request in time."""
        if self.up:
            return replace(self, timeouts=0) if self.timeouts else self
        return EngineHealth(self.models, up=True, up_since_s=now_s)

    def unreachable(self, fault: str) -> "EngineHealth":
        """Nothing answers there, or what answers is no healthy engine."""
        return replace(self, up=False, timeouts=0, fault=fault)

    def timed_out(self, fault: str) -> "EngineHealth":
        """A completion outlived its deadline."""
        if self.timeouts + 1 < MAX_TIMEOUTS:
            return replace(self, timeouts=self.timeouts + 1)
        return replace(self, up=False, hung=True, timeouts=0, fault=fault)
