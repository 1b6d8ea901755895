"""What is known of an engine: a state that changes with what was observed. It has no I/O and no clock.

           answered / checked                     unreachable: at once
    (new) ─────────────────► up ◄──────────────► down
                              │ timeouts in a row          ▲
                              ▼                            │
                             hung ── a trial completes ── up

An engine that hangs still answers its health endpoint, so only a completion brings it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

# A late answer means load. This many in a row, with no answer in time between them, mean that the engine is stuck.
MAX_TIMEOUTS = 3


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """`models` are those that it listed last, with the tokens of their context (0: it does not say); None until it has
    answered. `up_since_s` is monotonic seconds."""

    models: Mapping[str, int] | None = None
    up: bool = False
    hung: bool = False
    timeouts: int = 0
    up_since_s: float = 0.0
    fault: str = "it has not been asked yet"

    def may_serve(self, model: str) -> bool:
        """Whether it lists the model, or has never said what it lists."""
        return self.models is None or model in self.models

    def checked(self, models: Mapping[str, int], now_s: float) -> "EngineHealth":
        """The engine answered its checks, and a trial if it hung."""
        since = self.up_since_s if self.up else now_s
        return EngineHealth(dict(models), up=True, timeouts=self.timeouts if self.up else 0, up_since_s=since)

    def answered(self, now_s: float) -> "EngineHealth":
        """The engine completed a request in time."""
        if self.up:
            return replace(self, timeouts=0) if self.timeouts else self
        return EngineHealth(self.models, up=True, up_since_s=now_s)

    def unreachable(self, fault: str) -> "EngineHealth":
        """Nothing answers there, or the answer is an error."""
        return replace(self, up=False, timeouts=0, fault=fault)

    def timed_out(self, fault: str) -> "EngineHealth":
        """A completion exceeded its deadline."""
        if self.timeouts + 1 < MAX_TIMEOUTS:
            return replace(self, timeouts=self.timeouts + 1)
        return replace(self, up=False, hung=True, timeouts=0, fault=fault)
