"""Live events as they leave through server-sent events: `event` is the event's name, `data` its JSON."""

from typing import Any, Literal

from pydantic import Field

from vigil_gateway.api.models.base import Out
from vigil_gateway.api.models.history import DecisionOut


class CloudEventOut(Out):
    """A CloudEvent, as it is published on NATS: `asyncapi.yaml` has the `data` of each `type`."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str = Field(examples=["vigil.alert.opened"])
    subject: str
    time: str
    datacontenttype: Literal["application/json"]
    data: dict[str, Any]
    traceparent: str | None = None


class StatusOut(Out):
    """What each role says of the session, and how many events of each kind this client was too slow for."""

    roles: dict[str, Any] | None
    dropped: dict[str, int]


class EndOut(Out):
    """Why the stream ends."""

    reason: str


# The data of each event, by the event's name. `status` comes first and whenever it changes, `end` comes last.
DATA: dict[tuple[str, ...], type[Out]] = {
    ("decision",): DecisionOut,
    ("utterance", "alert", "delegation", "approval", "memory", "transcript", "speech", "session"): CloudEventOut,
    ("status",): StatusOut,
    ("end",): EndOut,
}
