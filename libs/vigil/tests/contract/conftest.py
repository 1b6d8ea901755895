"""Values that the contract's tests share."""

from collections.abc import Callable

import pytest

from vigil.core.alert import Alert, AlertEvent, AlertState, Moment
from vigil.core.control import Action, Output
from vigil.core.decide import Completion, Decision
from vigil.core.instruction import Severity, Watch
from vigil.core.probability import Probabilities
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind

CAPTURED_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
SPEC = SessionSpec(
    tenant="demo",
    session="s-1",
    source=Source("lobby", SourceKind.RTSP, "rtsp://camera/1", "Lobby, north door"),
    profile="vigil-small",
    model="vigil-small",
)
WATCH = Watch(name="fire", severity=Severity.CRITICAL)

MakeDecision = Callable[..., Decision]
MakeAlertEvent = Callable[[AlertState, int], AlertEvent]


@pytest.fixture
def spec() -> SessionSpec:
    """A session that watches the lobby."""
    return SPEC


@pytest.fixture
def make_decision() -> MakeDecision:
    """Makes the decision of second 7."""
    return _decision


@pytest.fixture
def make_alert_event() -> MakeAlertEvent:
    """Makes events of one alert."""
    return _alert_event


def _decision(action: Action = Action.SPEAK, text: str = "A fire has started.", sequence: int = 7) -> Decision:
    return Decision(
        sequence=sequence,
        time_ms=7_000,
        capture_time_us=CAPTURED_US,
        output=Output(action, text),
        probabilities=Probabilities(0.125, 0.875, 0.0),
        completion=Completion("raw", {}, prompt_tokens=300, cached_tokens=280, request_bytes=9_000, engine_ms=70.5),
        frames_skipped=2,
        prefix_share=1.0,
    )


def _alert_event(state: AlertState, number: int) -> AlertEvent:
    alert = Alert(
        id="s-1-fire-7",
        instruction_id="watch-1",
        watch=WATCH,
        text="A fire has started.",
        opened_capture_us=CAPTURED_US,
        spoken_ms=7_000,
        event_ms=7_000,
    )
    moment = Moment(SPEC.session, 7, 7_000, CAPTURED_US)
    return AlertEvent(alert, state, "the model spoke", number, alert.text, WATCH.severity, moment)
