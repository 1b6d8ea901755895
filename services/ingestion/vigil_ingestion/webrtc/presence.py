"""Whether a session's client is there, how long a lost one is waited for, and when the session is over. Pure.

Times are seconds of a monotonic clock.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto


class State(Enum):
    """Where the client is."""

    AWAITED = auto()  # it sends nothing yet, or nothing any more, and may still come
    SHOWING = auto()
    SILENT = auto()  # it sent pictures, and sends none any more
    OVER = auto()  # it was waited for in vain


@dataclass(frozen=True, slots=True)
class Presence:
    """A client that has sent no picture for `silent_s` is lost. It may come back until `grace_s` after its last one.

    `until_s` is until when a client that sends nothing is waited for, `seen_s` when the newest picture came; None while
    no client is there.
    """

    silent_s: float
    grace_s: float
    until_s: float
    seen_s: float | None = None

    def state(self, now_s: float) -> State:
        """Where the client is at that time."""
        if self.seen_s is not None:
            return State.SHOWING if now_s < self.seen_s + self.silent_s else State.SILENT
        return State.AWAITED if now_s < self.until_s else State.OVER

    def due_in_s(self, now_s: float) -> float:
        """How long until the state may change by itself."""
        due_s = self.until_s if self.seen_s is None else self.seen_s + self.silent_s
        return max(due_s - now_s, 0.0)

    def awaited(self, now_s: float, wait_s: float) -> "Presence":
        """A client is waited for."""
        return replace(self, seen_s=None, until_s=now_s + wait_s)

    def seen(self, now_s: float) -> "Presence":
        """A picture came."""
        return replace(self, seen_s=now_s, until_s=now_s + self.grace_s)

    def silent(self) -> "Presence":
        """Its silence was taken note of: from now on it is waited for."""
        return replace(self, seen_s=None)

    def gone(self, now_s: float) -> "Presence":
        """Its connection ended. One that never sent a picture changes nothing."""
        return self if self.seen_s is None else replace(self, seen_s=None, until_s=now_s + self.grace_s)

    def offered(self, now_s: float, connect_s: float, *, brings_session: bool = False) -> "Presence":
        """An offer was taken: its connection gets the time that it needs. Where it brought the session, no other client
        knows of that: none is waited for longer than for one that was lost."""
        if brings_session:
            return replace(self, until_s=now_s + connect_s + self.grace_s)
        return replace(self, until_s=max(self.until_s, now_s + connect_s))
