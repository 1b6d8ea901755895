"""Alerts, open and past, as they are listed, and what people do about them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from vigil.core.instruction import Severity
from vigil_gateway.api.models.base import NO_TEXT_INT, In, Out

MAX_NOTE_CHARS = 500
MAX_MUTE_MINUTES = 7 * 24 * 60

Note = Annotated[str, Field(max_length=MAX_NOTE_CHARS, description="Words for whoever hears of it")]


class AlertOut(Out):
    """One alert, as the newest of its events tells of it."""

    alert_id: str = Field(description="The same from opened to closed")
    open: bool = Field(description="Whether it goes on; one that has closed may go on within its cooldown")
    watch: str
    severity: Severity
    severities: list[Severity] = Field(description="All that it has had, in the order of their coming")
    session: str
    source_id: str
    source_name: str
    instruction_id: str
    text: str = Field(description="What the model said last")
    reason: str = Field(description="Why the newest event was sent")
    p_speak: float | None
    opened_at: datetime = Field(description="Capture time of the frame that opened it")
    updated_at: datetime = Field(description="When its newest event was made")
    closed_at: datetime | None = Field(description="When it closed; null while it is open")
    updates: int = Field(description="Events that it had before the newest, without what people did about it")
    snapshot_path: str | None = Field(description="Path of the picture that opened it, on this gateway")
    acknowledged_by: str | None = Field(description="Name of the key of who acknowledged it; null: nobody did")
    acknowledged_at: datetime | None = Field(description="When that was; null: nobody did")
    acknowledged_note: str | None = Field(description="What they said about it; null: nobody did")
    muted_until: datetime | None = Field(description="When the newest mute ends, or has ended; null: it had none")


class AlertList(Out):
    """Alerts, those that began last first."""

    alerts: list[AlertOut]
    next: str | None = Field(description="Give it as `before` for the alerts that began earlier; null: there are none")


class AlertEventOut(Out):
    """One event of an alert."""

    id: str = Field(description="Id of the CloudEvent", examples=["s-5d0c6b6b4b1f4e7f-w-3f9a1c20-12.0"])
    event: str = Field(description="opened, updated, closed, acknowledged or muted", examples=["opened"])
    time: datetime = Field(description="When it was made")
    severity: Severity
    text: str = Field(description="What the model had said by then")
    reason: str
    p_speak: float | None
    time_s: float = Field(description="Model time, in seconds since the session's first frame")
    decision_sequence: int = Field(description="The turn that it comes from, or that was the alert's newest by then")
    by: str | None = Field(None, description="Of what somebody did: the name of their key")
    note: str | None = Field(None, description="Of what somebody did: their words about it")
    until: datetime | None = Field(None, description="Of a mute: when it ends")


class AlertDetail(AlertOut):
    """One alert with its life."""

    opened_sequence: int | None = Field(
        description="Sequence of the turn that opened it; null once its opening is older than events are kept"
    )
    events: list[AlertEventOut] = Field(description="Its events, oldest first: the first and the newest 1,000 others")
    events_left_out: int = Field(description="Events between these that are not shown")


class Acknowledge(In):
    """That somebody sees to the alert."""

    note: Note = ""


class Mute(In):
    """How long to be quiet about the alert."""

    minutes: Annotated[
        int,
        Field(
            ge=0,
            le=MAX_MUTE_MINUTES,
            description="From now on, until the whole minute after it; 0 ends a mute",
        ),
        NO_TEXT_INT,
    ] = 30
    note: Note = ""
