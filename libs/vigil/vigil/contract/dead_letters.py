"""What could not be processed, kept for the operator with the reason: a CloudEvent around the message itself."""

from dataclasses import dataclass

import msgspec

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, rfc3339
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.contract.unreadable import UNREADABLE


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a service gave up on.

    `origin` is the service, `recipient` whom it could not serve, `sequence` the message's place in `stream`. Together
    they make the letter's id, so JetStream stores it once, however often it is written.
    """

    origin: str
    recipient: str
    reason: str
    attempts: int
    stream: str
    sequence: int
    subject: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Data:
    recipient: str
    reason: str
    attempts: int
    stream: str
    sequence: int
    subject: str
    event: msgspec.Raw | None
    payload_base64: bytes | None


def dead_letter_outgoing(letter: DeadLetter, *, emit_time_us: int) -> Outgoing:
    """The stored message of a dead letter. A JSON payload stands under `event` as it is; any
    other payload is written in base64."""
    is_json = _is_json(letter.payload)
    data = _Data(
        recipient=letter.recipient,
        reason=letter.reason,
        attempts=letter.attempts,
        stream=letter.stream,
        sequence=letter.sequence,
        subject=letter.subject,
        event=msgspec.Raw(letter.payload) if is_json else None,
        payload_base64=None if is_json else letter.payload,
    )
    event = CloudEvent(
        id=f"{letter.recipient}.{letter.stream}.{letter.sequence}",
        source=f"/services/{letter.origin}",
        type=f"vigil.dlq.{letter.origin}",
        subject=letter.recipient,
        time=rfc3339(emit_time_us),
        data=data,
    )
    return Outgoing(
        subjects.dead_letters(letter.origin), f"dlq.{letter.origin}.{event.id}", msgspec.json.encode(event), CLOUDEVENT
    )


def _is_json(payload: bytes) -> bool:
    try:
        msgspec.json.decode(payload)
    except UNREADABLE:
        return False
    return True
