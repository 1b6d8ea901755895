"""When a session counts as stalled, and why: nothing was decided for several cadences. Pure.

A session is blind when no turn is decided, whatever the processes answer to a ping. How long is too long follows the
session's cadence and, for a camera that sends a picture now and then, the usual time between its turns.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

LEAST_S = 5.0  # a takeover takes up to 3 s
MOST_S = 60.0
CADENCES = 4
GAPS = 3  # so many of the last turns say what is usual


class Cause(StrEnum):
    """The stage behind which nothing is seen."""

    NO_FRAME = "no_frame"  # the source shows no picture
    NO_CODED_FRAME = "no_coded_frame"  # the source is watched, and no coded picture comes
    NOT_NEWER = "not_newer"  # pictures come whose time is not after that of the last turn
    ENGINE = "engine"  # the engine fails, or does not answer
    STORE = "store"  # the store takes no turn
    NO_WORKER = "no_worker"  # a role of the session has no worker


@dataclass(frozen=True, slots=True)
class Stall:
    """Why a session decides nothing; `words` is a sentence for people."""

    cause: Cause
    words: str


@dataclass(frozen=True, slots=True)
class Vitals:
    """What a session's worker last saw of it. Times are seconds of one monotonic clock.

    `decided_s` and `seen_s` are of the last turn and of the last picture, at first of when the worker began. `failure`
    is why the last turn was dropped; None after a turn that was decided. `gaps` are the times between the last turns.
    """

    decided_s: float
    seen_s: float
    failure: Stall | None = None
    gaps: tuple[float, ...] = ()

    def seen(self, now_s: float) -> "Vitals":
        """A picture came."""
        return replace(self, seen_s=now_s)

    def decided(self, now_s: float) -> "Vitals":
        """A turn was decided, or there was nothing to decide and that was seen in time."""
        gaps = (*self.gaps, now_s - self.decided_s)[-GAPS:]
        return Vitals(decided_s=now_s, seen_s=now_s, gaps=gaps)

    def failed(self, cause: Cause, words: str) -> "Vitals":
        """A turn was dropped."""
        return replace(self, failure=Stall(cause, words))


def beginning(now_s: float) -> Vitals:
    """The vitals of a session that a worker has just taken."""
    return Vitals(decided_s=now_s, seen_s=now_s)


def patience_s(vitals: Vitals, interval_s: float) -> float:
    """The seconds without a turn after which a session with this cadence is stalled.

    The shortest of the last gaps counts, so that a single outage does not make the next one unnoticed for long.
    """
    usual_s = min(vitals.gaps) if len(vitals.gaps) == GAPS else 0.0
    return min(max(LEAST_S, CADENCES * interval_s, 2.0 * usual_s), max(MOST_S, CADENCES * interval_s))


def stall(vitals: Vitals, now_s: float, interval_s: float, *, pushed: bool) -> Stall | None:
    """Why the session is stalled now, as far as its worker knows; None when it is not.

    A client that pushes pictures sends one when it likes: that none comes is no stall.
    """
    limit_s = patience_s(vitals, interval_s)
    if now_s - vitals.decided_s <= limit_s:
        return None
    if now_s - vitals.seen_s > limit_s:
        return None if pushed else Stall(Cause.NO_CODED_FRAME, "the source is watched, but no coded picture comes")
    return vitals.failure or Stall(Cause.ENGINE, "the engine has not answered yet")
