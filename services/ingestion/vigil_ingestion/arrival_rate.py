"""How fast a source without a stated length sends its pictures: slowly, or faster than any camera films. Pure."""

from dataclasses import dataclass, replace

KNOWN_AFTER = 5  # pictures, until which nobody knows how long a source may be silent
FASTER = 3  # a camera that sends at once what it kept of the last seconds soon falls below this; a recording does not
SLACK_US = 250_000


@dataclass(frozen=True, slots=True)
class ArrivalRate:
    """The pictures of one connection. `opened_us` is when opening it began."""

    opened_us: int = 0
    pictures: int = 0
    last_us: int = 0
    widest_us: int = 0

    def step(self, now_us: int) -> "ArrivalRate":
        """The state after a picture."""
        gap_us = now_us - self.last_us if self.pictures else 0
        widest_us = max(self.widest_us, gap_us)
        return replace(self, pictures=self.pictures + 1, last_us=now_us, widest_us=widest_us)

    def may_be_silent(self, silence_us: int) -> bool:
        """Whether so long a silence may be the source's own pace: it has sent few pictures, or was as slow before."""
        return 0 < self.pictures < KNOWN_AFTER or self.widest_us > silence_us // 2

    def is_recording(self, now_us: int, shown_us: int) -> bool:
        """Whether pictures that are shown for `shown_us` came too fast to be filmed meanwhile."""
        return shown_us > FASTER * (now_us - self.opened_us) + SLACK_US
