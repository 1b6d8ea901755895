"""What a camera's time stamps say against this server's clock: how fast they drift, and that they jumped. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum

from vigil_ingestion.continuity import US_PER_S, unwrapped_us
from vigil_ingestion.lateness import BACK_US, Lag

SETTLED_US = 5 * US_PER_S  # a camera begins with pictures that it had in hand, and they come faster than it makes them
MEASURED_US = 20 * US_PER_S  # how long a drift is measured
DRIFTS = 0.01  # a clock that is wrong by this share drifts; what a network adds over 20 s is less
JUMP_TOLD_US = 300 * US_PER_S  # how long a jump is told after it happened


class ClockFault(StrEnum):
    """What is wrong with a camera's time stamps. Its pictures are watched all the same."""

    DRIFT = "clock_drift"
    JUMP = "clock_jump"


@dataclass(frozen=True, slots=True)
class ClockNotice:
    """`figure` is the drift in percent (above zero: the clock is fast) or the jump in seconds (above zero: forward).
    `recorded` is that of a file, in whose stamps the jump lies.
    """

    fault: ClockFault
    figure: float
    recorded: bool = False

    @property
    def detail(self) -> str:
        """For people: what is wrong, what Vigil does, and what to do."""
        if self.recorded:
            return f"the recording's time stamps jump, by {self.figure:g} s at most: its parts are played without a gap"
        if self.fault is ClockFault.DRIFT:
            pace = "fast" if self.figure > 0 else "slow"
            what = f"the camera's clock runs {abs(self.figure):.1f} % {pace}"
        else:
            way = "forward" if self.figure > 0 else "back"
            what = f"the camera's clock jumped {abs(self.figure):.1f} s {way}"
        return f"{what}: its pictures are timed by this server's clock; check the camera's time source and its network"


@dataclass(frozen=True, slots=True)
class CameraClock:
    """Follows a live source's `Lag`, packet by packet."""

    begun_us: int | None = None
    measured_us: int = 0
    on_time_us: int | None = None
    drift: float = 0.0
    jump_us: int = 0
    jumped_us: int = 0
    jumps: int = 0
    drifts: int = 0

    def step(self, lag: Lag) -> "CameraClock":
        """The state after a packet. `jumps` and `drifts` count what was found so far."""
        clock = self._jumped(lag) if lag.jump_us else self
        if lag.on_time_us is None or clock.begun_us is None:
            return replace(clock, begun_us=lag.now_us)
        if lag.now_us - clock.begun_us < SETTLED_US:
            return clock
        if clock.on_time_us is None:
            return replace(clock, measured_us=lag.now_us, on_time_us=lag.on_time_us)
        span_us = lag.now_us - clock.measured_us
        return clock if span_us < MEASURED_US else clock._measured(lag.now_us, lag.on_time_us, span_us)

    def notice(self, now_us: int) -> ClockNotice | None:
        """What to tell at that time; a recent jump before a drift."""
        if self.jump_us and now_us - self.jumped_us < JUMP_TOLD_US:
            return ClockNotice(ClockFault.JUMP, round(self.jump_us / US_PER_S, 1))
        if self.drift:
            return ClockNotice(ClockFault.DRIFT, round(-self.drift * 100, 1))
        return None

    def _jumped(self, lag: Lag) -> "CameraClock":
        clock = replace(self, on_time_us=None if self.on_time_us is None else self.on_time_us - lag.jump_us)
        jump_us = unwrapped_us(lag.jump_us)
        if abs(jump_us) < BACK_US:
            return clock
        return replace(clock, jump_us=jump_us, jumped_us=lag.now_us, jumps=self.jumps + 1)

    def _measured(self, now_us: int, on_time_us: int, span_us: int) -> "CameraClock":
        share = (on_time_us - (self.on_time_us or 0)) / span_us
        drift = share if abs(share) >= DRIFTS else 0.0
        begins = bool(drift) and not self.drift
        return replace(self, measured_us=now_us, on_time_us=on_time_us, drift=drift, drifts=self.drifts + begins)
