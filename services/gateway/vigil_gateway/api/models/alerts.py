"""Alerts, open and past, as they are listed."""

from datetime import datetime

from pydantic import Field

from vigil.core.instruction import Severity
from vigil_gateway.api.models.base import Out


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
    updates: int = Field(description="Events that it had before the newest")
    snapshot_path: str | None = Field(description="Path of the picture that opened it, on this gateway")


class AlertList(Out):
    """Alerts, those that began last first."""

    alerts: list[AlertOut]
    next: str | None = Field(description="Give it as `before` for the alerts that began earlier; null: there are none")
