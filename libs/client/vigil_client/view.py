"""How a session is shown: a live picture on a terminal, plain lines anywhere else."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from vigil_client.cloudevents import Alert
from vigil_client.events import Connection, Decision, Event, Lifecycle, RoleStatus
from vigil_client.monitor import Monitor
from vigil_client.speech import SpeechNews, Transcript
from vigil_client.strip import SEVERITY_STYLES, STATE_STYLES, clock, spark, strip

SPARK = 8
PICTURE_COLUMNS = 142
# Cells of a camera's line that are not strip: name, time, p(speak), latency, the last words, gaps and frame.
OTHER_COLUMNS = 82
PLAIN_EVERY = 10
TITLES = ("camera", "time", "decisions", "p(speak)", "latency", "last words")


class View(Protocol):
    """Shows a monitor, and each event as it comes."""

    def __enter__(self) -> "View": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, monitor: Monitor, event: Event | None) -> None:
        """The monitor has changed, by `event` unless that is None."""


class LiveView:
    """A picture that is drawn again with each event."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=False)
        self._console = console

    def __enter__(self) -> "LiveView":
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def update(self, monitor: Monitor, event: Event | None) -> None:
        """Draw."""
        self._live.update(picture([monitor], self._console.width), refresh=True)


class PlainView:
    """A line for each alert, each trouble, each change of what the model does, and now and then for a quiet one."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: tuple[str, str] | None = None
        self._lost = False
        self._trouble = ""

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def update(self, monitor: Monitor, event: Event | None) -> None:
        """Print what is worth a line."""
        line = self._line(monitor, event)
        if line:
            self._console.print(f"{monitor.name}  {line}", markup=False, highlight=False, soft_wrap=True)

    def _line(self, monitor: Monitor, event: Event | None) -> str:
        match event:
            case Alert():
                return alert_line(event)
            case Decision():
                now = (event.action, event.text)
                changed, self._shown = now != self._shown, now
                return decision_line(event) if changed or event.sequence % PLAIN_EVERY == 0 else ""
            case Connection(connected=connected, reason=reason):
                before, self._lost = self._lost, not connected
                if before == self._lost:
                    return ""
                return f"connection lost: {reason}; trying again" if self._lost else "connected again"
            case RoleStatus(text=text):
                before_that, self._trouble = self._trouble, text
                return text if text != before_that else ""
            case Lifecycle() if event.ended:
                return f"session ended: {event.reason}"
            case None:
                return monitor.notes[-1] if monitor.notes else ""
            case _:
                return ""


def view_for(console: Console) -> View:
    """The live picture on a terminal, else plain lines."""
    return LiveView(console) if console.is_terminal else PlainView(console)


def picture(monitors: Sequence[Monitor], columns: int) -> RenderableType:
    """The cameras, one line each, and their alerts below."""
    width = max(10, min(60, columns - OTHER_COLUMNS))
    cameras = Table.grid(padding=(0, 1), expand=True)
    for cells in (12, 7, width, SPARK + 5, 8):
        cameras.add_column(no_wrap=True, overflow="ellipsis", width=cells)
    cameras.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    cameras.add_row(*(Text(title, "dim") for title in TITLES))
    for monitor in monitors:
        cameras.add_row(*_camera(monitor, width))
    alerts = [alert for monitor in monitors for alert in monitor.alerts]
    notes = [Text(note, "dim") for monitor in monitors for note in monitor.notes]
    parts: list[RenderableType] = [cameras, Text(), _alerts(alerts), *notes]
    return Panel(Group(*parts), title=_title(monitors), title_align="left", border_style="blue")


def save_svg(path: Path, monitors: Sequence[Monitor]) -> None:
    """Write the picture as it is now to an SVG file."""
    console = Console(record=True, width=PICTURE_COLUMNS, file=path.open("w"), force_terminal=True)
    with console.file:
        console.print(picture(monitors, PICTURE_COLUMNS))
    console.save_svg(str(path), title="vigil watch")


def alert_line(alert: Alert) -> str:
    """One alert event in one line of text."""
    reason = f"  ({alert.reason})" if alert.reason else ""
    return (
        f"{alert.emit_time.astimezone():%H:%M:%S}  ALERT {alert.state:<7}  {alert.severity} {alert.watch}"
        f"  {alert.text!r}{_figures(alert)}{reason}"
    )


def transcript_line(said: Transcript) -> str:
    """What was said, in one line of text."""
    sure = "" if said.confidence is None else f"  confidence {said.confidence:.2f}"
    return f"{said.end_time.astimezone():%H:%M:%S}  said  {said.became or 'partial':<13}  {said.text!r}{sure}"


def speech_line(news: SpeechNews) -> str:
    """What became of words that were to be spoken aloud, in one line of text."""
    heard = f"  heard {news.heard!r}" if news.event == "interrupted" else ""
    why = f"  ({news.reason or news.cause})" if news.reason or news.cause else ""
    return f"{news.emit_time.astimezone():%H:%M:%S}  speech  {news.event:<11}  {news.text!r}{heard}{why}"


def _figures(alert: Alert) -> str:
    """The figures of what the model said; what somebody did about an alert has none."""
    if alert.by:
        return ""
    p = "" if alert.p_speak is None else f"  p(speak) {alert.p_speak:.2f}"
    return f"{p}  {alert.latency_ms:.0f} ms after capture"


def decision_line(decision: Decision) -> str:
    """One decision in one line of text."""
    p = "" if decision.p_speak is None else f"  p(speak) {decision.p_speak:.2f}"
    words = f"  {decision.text!r}" if decision.text else ""
    return f"{clock(decision.time_s):>7}  {decision.action:<8}{p}  {decision.latency_ms:.0f} ms{words}"


def _title(monitors: Sequence[Monitor]) -> str:
    ticks, skipped = sum(monitor.ticks for monitor in monitors), sum(monitor.skipped for monitor in monitors)
    return f"[bold]vigil[/bold]  {ticks} decisions, {skipped} frames skipped  [dim]Ctrl-C ends[/dim]"


def _camera(monitor: Monitor, width: int) -> list[Text | str]:
    name = Text(monitor.name, "bold")
    last = monitor.decisions[-1] if monitor.decisions else None
    words = Text(monitor.trouble, "yellow") if monitor.trouble else Text(monitor.words)
    if last is None:
        return [name, "", strip([], width), "", "", words]
    p = " n/a" if last.p_speak is None else f"{last.p_speak:.2f}"
    bars = spark([decision.p_speak for decision in monitor.decisions], SPARK)
    latency = f"{last.latency_ms:.0f} ms"
    return [name, clock(last.time_s), strip(list(monitor.decisions), width), f"{bars} {p}", latency, words]


def _alerts(alerts: Sequence[Alert]) -> RenderableType:
    if not alerts:
        return Text("no alert yet", "dim")
    table = Table.grid(padding=(0, 1))
    for alert in sorted(alerts, key=lambda alert: alert.emit_time):
        p = "" if alert.p_speak is None or alert.by else f"p {alert.p_speak:.2f}"
        table.add_row(
            f"{alert.emit_time.astimezone():%H:%M:%S}",
            Text(alert.state, STATE_STYLES.get(alert.state, "")),
            Text(f"{alert.severity} {alert.watch}", SEVERITY_STYLES.get(alert.severity, "")),
            escape(alert.text),
            p,
            f"by {alert.by}" if alert.by else f"{alert.latency_ms:.0f} ms after capture",
        )
    return table
