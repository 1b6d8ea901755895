"""Alerts as tables on a terminal."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from vigil_client.commands.running import console, show_table
from vigil_client.strip import SEVERITY_STYLES, STATE_STYLES
from vigil_client.values import AlertDetail, AlertRecord

_COLUMNS = ("opened", "closed", "severity", "watch", "camera", "session", "alert", "seen to", "words")


def show_alerts(found: Sequence[AlertRecord]) -> None:
    """A line for each alert."""
    if not found:
        console.print("no alerts")
        return
    table = _table(_COLUMNS)
    for alert in found:
        table.add_row(
            _when(alert.opened_at),
            "open" if alert.closed_at is None else _when(alert.closed_at),
            _styled(alert.severity, SEVERITY_STYLES),
            escape(alert.watch),
            escape(alert.source_name or alert.source_id),
            escape(alert.session),
            escape(alert.alert_id),
            escape(_seen_to(alert)),
            escape(alert.text),
        )
    show_table(table)


def show_life(alert: AlertDetail) -> None:
    """The alert, and a line for each of its events."""
    show_alerts((alert,))
    table = _table(("time", "event", "severity", "turn", "reason", "words"))
    for number, event in enumerate(alert.events):
        table.add_row(
            _when(event.time),
            _styled(event.event, STATE_STYLES),
            _styled(event.severity, SEVERITY_STYLES),
            str(event.decision_sequence),
            escape(event.reason),
            escape(event.text),
        )
        if number == 0 and alert.events_left_out:
            table.add_row("", "…", "", "", f"{alert.events_left_out} events are left out", "")
    console.print()
    show_table(table)


def _seen_to(alert: AlertRecord) -> str:
    """Who acknowledged it, and how long it is muted."""
    parts = [alert.acknowledged_by or ""]
    if alert.muted_until is not None and alert.muted_until > datetime.now(UTC):
        parts.append(f"muted until {alert.muted_until.astimezone():%H:%M}")
    return ", ".join(part for part in parts if part)


def _table(columns: Sequence[str]) -> Table:
    table = Table(box=None, header_style="dim")
    for title in columns:
        table.add_column(title, no_wrap=title != "words", overflow="fold")
    return table


def _styled(word: str, styles: dict[str, str]) -> str:
    return f"[{styles[word]}]{escape(word)}[/]" if word in styles else escape(word)


def _when(time: datetime) -> str:
    return f"{time.astimezone():%m-%d %H:%M:%S}"
