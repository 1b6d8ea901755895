"""A message that must be stored exactly once: it waits in the session's outbox until JetStream has it."""

from dataclasses import dataclass

PROTOBUF = "application/x-protobuf"
CLOUDEVENT = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`message_id` never changes for the same message: JetStream stores one message of each id."""

    subject: str
    message_id: str
    payload: bytes
    content_type: str
    traceparent: str = ""
