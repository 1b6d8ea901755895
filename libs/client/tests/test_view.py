"""What is shown: strips, sparks, the monitor's figures, the picture and the plain lines."""

import io
import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from vigil_client import cloudevents
from vigil_client.cloudevents import Alert
from vigil_client.events import Connection, Decision, Event, Lifecycle, RoleStatus
from vigil_client.events import decision as read_decision
from vigil_client.monitor import ALERTS_KNOWN, STRIP, WAITING, Monitor
from vigil_client.strip import BARS, clock, spark, strip
from vigil_client.testing.scripted_answers import alert_json, decision_json
from vigil_client.view import PlainView, picture, save_svg
from vigil_client.watching import Limits, verdict


def decision(sequence: int, action: str = "silent", text: str = "", **changes: object) -> Decision:
    return read_decision(json.dumps(decision_json(sequence, action, text, **changes)))


def alert(state: str, alert_id: str = "a-1") -> Alert:
    return cloudevents.alert(json.dumps(alert_json(state, alert_id=alert_id)))


def watched() -> Monitor:
    monitor = Monitor("lobby")
    for sequence in range(4):
        monitor.take(decision(sequence))
    monitor.take(decision(4, "speak", "A fire has started.", latency_ms=300.0, frames_skipped=2))
    monitor.take(alert("opened"))
    return monitor


def test_a_strip_by_value() -> None:
    decisions = [decision(0), decision(1, "speak"), decision(2, "delegate"), decision(3, malformed="no control token")]
    assert strip(decisions, 6).plain == "  ·█▲?"
    assert strip(decisions, 2).plain == "▲?"
    assert strip([decision(0, frames_skipped=3)], 3).plain == " ╎·"


@given(st.lists(st.sampled_from(["silent", "speak", "delegate", "dance"]), max_size=100), st.integers(0, 70))
def test_a_strip_is_as_wide_as_asked(actions: list[str], width: int) -> None:
    assert strip([decision(number, action) for number, action in enumerate(actions)], width).cell_len == width


@given(st.lists(st.none() | st.floats(-1, 2), max_size=50), st.integers(0, 20))
def test_a_spark_is_as_wide_as_asked(values: list[float | None], width: int) -> None:
    bars = spark(values, width)
    assert len(bars) == width
    assert set(bars) <= {*BARS, " "}


def test_sparks_and_clocks_by_value() -> None:
    assert spark([0.0, None, 0.5, 1.0], 5) == " ▁ ▅█"
    assert [clock(seconds) for seconds in (0, 59.9, 61, 3_723)] == ["0:00", "0:59", "1:01", "1:02:03"]


def test_the_monitor_counts() -> None:
    monitor = watched()
    assert (monitor.outcome.ticks, monitor.outcome.skipped) == (5, 2)
    assert (monitor.outcome.opened, monitor.outcome.completed) == (1, 0)
    assert monitor.outcome.median_latency_ms == 180.0
    monitor.take(alert("closed", "a-of-before"))
    assert monitor.completed == 0
    monitor.take(alert("closed"))
    assert monitor.completed == 1
    monitor.take(Lifecycle("ended", "end of file"))
    assert (monitor.ended, monitor.outcome.ended_reason) == (True, "end of file")


def test_trouble_is_shown_until_it_is_over() -> None:
    monitor = Monitor("lobby")
    monitor.take(RoleStatus(""))
    assert monitor.trouble == WAITING
    monitor = watched()
    monitor.take(RoleStatus("ingestion reconnecting: timed out"))
    assert monitor.trouble == "ingestion reconnecting: timed out"
    monitor.take(decision(5))
    assert monitor.trouble == ""
    monitor.take(Connection(connected=False, reason="the gateway does not answer"))
    assert monitor.trouble == "the gateway does not answer"
    monitor.take(Connection(connected=True))
    assert monitor.trouble == ""


@given(st.integers(0, 300))
def test_the_monitor_is_bounded(count: int) -> None:
    monitor = Monitor("lobby")
    for number in range(count):
        monitor.take(decision(number))
        monitor.note("restarted")
    assert len(monitor.decisions) == min(count, STRIP)
    assert len(monitor.notes) <= 3
    assert monitor.ticks == count


def test_alerts_are_counted_once_and_remembered_within_bounds() -> None:
    monitor = Monitor("lobby")
    for number in range(2 * ALERTS_KNOWN):
        for state in ("opened", "opened", "updated", "closed", "closed"):
            monitor.take(alert(state, f"a-{number}"))
    assert (monitor.opened, monitor.closed, monitor.completed) == (2 * ALERTS_KNOWN,) * 3
    remembered = [len(value) for name in Monitor.__slots__ if isinstance(value := getattr(monitor, name), dict)]
    assert remembered == [ALERTS_KNOWN]


def test_plain_lines_tell_each_trouble_once() -> None:
    console = Console(width=200, file=io.StringIO())
    view, monitor = PlainView(console), Monitor("lobby")
    for text in ("ingestion opening", "", "ingestion reconnecting: gone", "ingestion reconnecting: gone", ""):
        event = RoleStatus(text)
        monitor.take(event)
        view.update(monitor, event)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().splitlines() == ["lobby  ingestion opening", "lobby  ingestion reconnecting: gone"]


def rendered(columns: int) -> str:
    console = Console(width=columns, file=io.StringIO(), color_system=None)
    console.print(picture([watched()], columns))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_picture_has_all_of_it() -> None:
    shown = rendered(140)
    for part in (
        "lobby",
        "0:04",
        "····╎█",
        "0.97",
        "300 ms",
        "A fire has started.",
        "critical fire",
        "opened",
        "2 frames",
    ):
        assert part in shown
    assert all(len(line) <= 80 for line in rendered(80).splitlines())


def test_the_picture_becomes_a_file(tmp_path: Path) -> None:
    save_svg(tmp_path / "live.svg", [watched()])
    svg = (tmp_path / "live.svg").read_text()
    assert svg.startswith("<svg")
    assert "lobby" in svg


def test_plain_lines_say_what_changed() -> None:
    console = Console(width=200, file=io.StringIO())
    view, monitor = PlainView(console), Monitor("lobby")
    events: list[Event] = [
        *(decision(n) for n in range(12)),
        decision(12, "speak", "Fire."),
        alert("opened"),
        Connection(False, "gone"),
    ]
    for event in events:
        monitor.take(event)
        view.update(monitor, event)
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert [line.split()[1] for line in lines[:3]] == ["0:00", "0:10", "0:12"]
    assert "'Fire.'" in lines[2]
    assert "ALERT opened" in lines[3]
    assert "connection lost: gone" in lines[4]


def test_a_verdict_says_why() -> None:
    monitor, limits = watched(), Limits(duration_s=60)
    assert verdict(monitor.outcome, Limits())[0] is True
    assert verdict(monitor.outcome, limits)[0] is False
    assert "did not close" in verdict(monitor.outcome, limits)[1]
    monitor.take(alert("closed"))
    assert verdict(monitor.outcome, limits) == (True, "1 of 1 alerts opened and closed")
    quiet = Monitor("lobby")
    assert "not one decision" in verdict(quiet.outcome, limits)[1]
    quiet.take(decision(0))
    assert "no alert in 1 decisions" in verdict(quiet.outcome, limits)[1]
