"""What a live view knows of one session, built from its events. Pure: events in, figures out. All of it is bounded."""

from collections import deque
from dataclasses import dataclass, field
from statistics import median

from vigil_client.cloudevents import Alert, Utterance
from vigil_client.events import Connection, Decision, Event, Lifecycle, RoleStatus

STRIP = 60
LATENCIES = 3_600
ALERTS_SHOWN = 8
NOTES_SHOWN = 3
ALERTS_KNOWN = 1_024
WAITING = "waiting for the first frame"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a session came to: the figures of a summary, and whether an alert both opened and closed."""

    ticks: int
    skipped: int
    opened: int
    closed: int
    completed: int
    median_latency_ms: float | None
    ended_reason: str


@dataclass(slots=True)
class Monitor:
    """One camera's state. `decisions` are the last `STRIP`; `words` is what was said last.

    An alert event that comes again is counted once, as long as its alert is among the last `ALERTS_KNOWN`.
    """

    name: str
    decisions: deque[Decision] = field(default_factory=lambda: deque(maxlen=STRIP))
    alerts: deque[Alert] = field(default_factory=lambda: deque(maxlen=ALERTS_SHOWN))
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=NOTES_SHOWN))
    words: str = ""
    trouble: str = WAITING
    ticks: int = 0
    skipped: int = 0
    ended: bool = False
    ended_reason: str = ""
    opened: int = 0
    closed: int = 0
    completed: int = 0
    _states: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _latencies_ms: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))

    def take(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case Decision():
                self._decided(event)
            case Alert():
                self._alerted(event)
            case Utterance(text=text):
                self.words = text
            case Lifecycle() if event.ended:
                self.ended, self.ended_reason = True, event.reason
            case RoleStatus(text=text):
                self.trouble = text or ("" if self.ticks else WAITING)
            case Connection(connected=connected, reason=reason):
                self.trouble = "" if connected and self.ticks else (reason or self.trouble)

    def note(self, text: str) -> None:
        """Remember something that is not of the session, such as a service that was restarted."""
        self.notes.append(text)

    @property
    def outcome(self) -> Outcome:
        """The figures so far."""
        return Outcome(
            ticks=self.ticks,
            skipped=self.skipped,
            opened=self.opened,
            closed=self.closed,
            completed=self.completed,
            median_latency_ms=median(self._latencies_ms) if self._latencies_ms else None,
            ended_reason=self.ended_reason,
        )

    def _decided(self, decision: Decision) -> None:
        self.decisions.append(decision)
        self.ticks += 1
        self.skipped += decision.frames_skipped
        self.trouble = ""
        self._latencies_ms.append(decision.latency_ms)
        if decision.text:
            self.words = decision.text

    def _alerted(self, alert: Alert) -> None:
        self.alerts.append(alert)
        before = self._states.get(alert.alert_id, ())
        if alert.state in before or alert.state not in ("opened", "closed"):
            return
        self._states[alert.alert_id] = (*before, alert.state)
        self.opened += alert.state == "opened"
        self.closed += alert.state == "closed"
        self.completed += bool(before)
        if len(self._states) > ALERTS_KNOWN:
            del self._states[next(iter(self._states))]
