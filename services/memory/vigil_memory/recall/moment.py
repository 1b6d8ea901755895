"""When a question is asked, and spans of the past. Pure.

Model time is in milliseconds from the first frame of a session. What it is on the clock follows from the session's
origin and from the time zone in which people there tell the time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_EARLIEST_US = 946_684_800_000_000  # 2000-01-01: an origin before it is no time of a camera
_LATEST_US = 4_102_444_800_000_000  # 2100-01-01


@dataclass(frozen=True, slots=True)
class Span:
    """Model time from `from_ms` up to `to_ms`."""

    from_ms: int
    to_ms: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing can lie in it: it was over before the session began, or is still to come."""
        return self.from_ms >= self.to_ms

    def touches(self, from_ms: int, to_ms: int) -> bool:
        """Whether it shares a moment with that span; a span without a length counts as a moment."""
        return not self.is_empty and from_ms < self.to_ms and max(to_ms, from_ms + 1) > self.from_ms


@dataclass(frozen=True, slots=True)
class Moment:
    """The model time `now_ms` at which a question is asked, `origin_us`, which is model time 0 in microseconds since
    the epoch, and the time zone of those who ask. An origin outside this century counts as unknown: then no time of day
    and no date can be told."""

    now_ms: int
    origin_us: int = 0
    zone: tzinfo = UTC

    @property
    def has_clock(self) -> bool:
        """Whether it is known what time of day it is."""
        return _EARLIEST_US <= self.origin_us <= _LATEST_US and self.now_ms * 1_000 <= _LATEST_US - self.origin_us

    @property
    def today(self) -> date:
        """The date at which the question is asked. Only with a clock."""
        return datetime.fromtimestamp(self.origin_us / 1e6 + self.now_ms / 1e3, self.zone).date()

    def at(self, day: date, minutes: int = 0) -> int:
        """The model time of `minutes` after midnight of that day, as clocks show them there. It may be negative."""
        local = datetime.combine(day + timedelta(days=minutes // 1_440), time(minutes // 60 % 24, minutes % 60))
        return round(local.replace(tzinfo=self.zone).timestamp() * 1_000) - self.origin_us // 1_000

    def clipped(self, from_ms: float, to_ms: float) -> Span:
        """The part of a span that has been: from model time 0 until now."""
        last = max(0, self.now_ms)
        begin = min(max(0, round(from_ms)), last)
        return Span(begin, max(begin, min(round(to_ms), last)))
