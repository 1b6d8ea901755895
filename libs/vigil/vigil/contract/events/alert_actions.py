"""What people do about an alert, as events: it was acknowledged, it was muted.

Whoever reads alerts reads these without more: such an event has all that the alert's newest event before it has, with
another `state`, and who did it (`by`), with which words (`note`), and until when (`until`).
"""

from dataclasses import dataclass
from typing import Any

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import AlertAction


@dataclass(frozen=True, slots=True)
class ActionTaken:
    """Somebody did something about an alert at `at_us` (microseconds since the epoch).

    `number` counts the events of this kind before it, of the same alert: two that were made at once have one id, and
    one of them is stored. `until_us` is when a mute ends; one that ends at `at_us` or before ends an earlier mute.
    """

    action: AlertAction
    by: str
    at_us: int
    note: str = ""
    until_us: int | None = None
    number: int = 0

    @property
    def reason(self) -> str:
        """What happened, in words."""
        if self.until_us is None:
            what = f"acknowledged by {self.by}"
        elif self.until_us > self.at_us:
            what = f"muted by {self.by} until {rfc3339(self.until_us)}"
        else:
            what = f"the mute was ended by {self.by}"
        return f"{what}: {self.note}" if self.note else what


def action_outgoing(newest: CloudEvent, taken: ActionTaken, traceparent: str = "") -> Outgoing:
    """The stored message of what somebody did about the alert whose newest event is `newest`. Raises
    `InvalidMessage` for an event that is not an alert's."""
    data: Any = newest.data
    if not isinstance(data, dict) or not all(isinstance(data.get(name), str) for name in ("tenant", "source_id")):
        raise InvalidMessage("this event is not of an alert")
    when = rfc3339(taken.at_us)
    event = CloudEvent(
        id=f"{newest.subject}.{taken.action}.{taken.number}",
        source=newest.source,
        type=f"vigil.alert.{taken.action}",
        subject=newest.subject,
        time=when,
        data=data
        | {
            "state": taken.action,
            "reason": taken.reason,
            "news": False,
            "emit_time": when,
            "by": taken.by,
            "note": taken.note,
            "until": None if taken.until_us is None else rfc3339(taken.until_us),
        },
        traceparent=traceparent or None,
    )
    return event_outgoing(data["tenant"], subjects.alert(data["tenant"], data["source_id"], taken.action), event)
