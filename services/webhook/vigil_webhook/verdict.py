"""What becomes of an event after one attempt to deliver it: done, tried again later, or dead. Pure.

A receiver that is *unavailable* (no answer, 408, 425, 429, 502, 503, 504) is waited for, for hours. A receiver that
*refuses* an event (any other answer but success) gets a few more tries; then the event is dead-lettered. The answer 410
means that the receiver does not want the event any more. What is tried next meanwhile: `vigil_webhook.backlog`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus

_UNAVAILABLE = frozenset({408, 425, 429, 502, 503, 504})
# A receiver may ask for a longer wait than the back-off, but not for hours in which an alarm is not heard.
MAX_RETRY_AFTER_S = 300.0


class Fate(StrEnum):
    """What to do with the event."""

    DELIVERED = "delivered"
    RETRY = "retry"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a POST: the receiver's status, or 0 and the reason why there is none.

    `forbidden` says that the address policy stopped it; `retry_after_s` is what the receiver asked for.
    """

    status: int = 0
    error: str = ""
    forbidden: bool = False
    retry_after_s: float = 0.0

    @property
    def is_taken(self) -> bool:
        """Whether the receiver took the event."""
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        """In words, without anything secret."""
        if not self.status:
            return self.error
        if 300 <= self.status < 400:
            return f"it answered {self.status}: redirects are not followed"
        return f"it answered {self.status}"


@dataclass(frozen=True, slots=True)
class Patience:
    """How many tries, and how far apart. `tries` count while a receiver is unavailable, `refusals` while it refuses."""

    tries: int
    refusals: int
    first_s: float
    most_s: float

    def asked_s(self, outcome: Outcome) -> float:
        """The wait that the receiver asked for, within its bound."""
        return min(outcome.retry_after_s, MAX_RETRY_AFTER_S)

    def delay_s(self, tries: int, uniform: float) -> float:
        """Exponential back-off after so many tries; `uniform` in [0, 1) takes up to half of it away."""
        plain = min(self.most_s, self.first_s * 2.0 ** min(tries - 1, 32))
        return plain * (1.0 - uniform / 2.0)


@dataclass(frozen=True, slots=True)
class Verdict:
    """`delay_s` is for a retry, `reason` for what was not delivered, `tries` how many attempts it took so far."""

    fate: Fate
    reason: str = ""
    delay_s: float = 0.0
    tries: int = 0


def is_refusal(outcome: Outcome) -> bool:
    """Whether the receiver, or the address policy, said no: another try may well hear the same."""
    unwanted = outcome.status > 0 and not outcome.is_taken and outcome.status not in _UNAVAILABLE
    return outcome.forbidden or unwanted


def judge(
    outcome: Outcome, tries: int, refusals: int, patience: Patience, uniform: float, *, is_own: bool = False
) -> Verdict:
    """What to do after attempt number `tries` (from 1) came to `outcome`; `refusals` of them all were refused. When
    the event's failure `is_own`, for others were delivered meanwhile, it is like a refusal whatever the answer was."""
    if outcome.is_taken:
        return Verdict(Fate.DELIVERED, tries=tries)
    if outcome.status == HTTPStatus.GONE:
        return Verdict(Fate.DEAD, "the endpoint is gone (410)", tries=tries)
    if tries >= patience.tries or ((is_own or is_refusal(outcome)) and refusals >= patience.refusals):
        return Verdict(Fate.DEAD, f"{outcome.text}, after {tries} tries", tries=tries)
    wait_s = max(patience.delay_s(tries, uniform), patience.asked_s(outcome))
    return Verdict(Fate.RETRY, outcome.text, wait_s, tries)


def retry_after_s(header: str, now: datetime) -> float:
    """The seconds that a `Retry-After` header asks for: a number, or a date. 0 when it says nothing useful."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), int(MAX_RETRY_AFTER_S)))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return 0.0
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())
