"""What turns measurements into figures, by value and property."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.brain import Brains, TickRun, Toppled, p99_ratio
from bench.brain_burst import Burst, gauge, overtaken
from bench.camera import Course, Watched
from bench.collector import Decided
from bench.faults import Faults, Recovery
from bench.integrity import Integrity, alert_changes, missed_turns
from bench.load_plan import LoadPlan
from bench.machine import Machine
from bench.memory import PICTURE_TOKENS, SPEC, Day, covered_ms, prompt_tokens
from bench.modules import Run as ModulesRun
from bench.modules import compared
from bench.plot import Chart, Line, svg
from bench.progress import hold_until
from bench.remembering import Remembering, Writer, case
from bench.report import html
from bench.results import TARGETS, Results, Target
from bench.settings import BenchSettings, EngineKind, Part
from bench.soak import Soak
from bench.statistics import is_gapless, longest_gap, quantile, slope, spread, steadiness
from bench.tick import BENCHES, TICK, named, paths
from bench.tracing import Run, tracing
from bench.webrtc import Received, Step, decided_share, is_sustained
from vigil.contract.decision import StoredDecision
from vigil.core.control import SILENCE, Action
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, Memory, Unwritten
from vigil.core.session import Chunk, SessionState
from vigil.core.task import TaskRecord, TaskRequest, TaskState
from vigil.core.turn import Turn

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


@given(numbers, st.floats(0.01, 1))
def test_a_quantile_is_a_value_that_this_share_does_not_exceed(values: list[float], share: float) -> None:
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
    assert sum(value < found for value in values) < share * len(values)


def test_a_spread_of_one_hundred_values() -> None:
    found = spread([float(value) for value in range(1, 101)])
    assert (found.count, found.p50, found.p95, found.p99, found.max) == (100, 50, 95, 99, 100)
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])


def test_the_slope_of_a_line_is_its_rise_over_a_hundred() -> None:
    found = slope([(x, 2 + 0.03 * x) for x in range(50)])
    assert found.per_100 == pytest.approx(3)
    assert found.error == pytest.approx(0, abs=1e-9)
    assert not found.is_flat


def test_noise_without_a_trend_is_flat() -> None:
    assert slope([(x, 5.0 + (-1) ** x) for x in range(100)]).is_flat


@given(st.lists(st.floats(0, 1e6), max_size=30))
def test_the_longest_gap_is_between_neighbours(times: list[float]) -> None:
    gaps = [after - before for before, after in pairwise(sorted(times))]
    assert longest_gap(times) == max(gaps, default=0)


@pytest.mark.parametrize(
    ("sequences", "expected"), [([0, 1, 2], True), ([], True), ([0, 2], False), ([0, 1, 1], False), ([1, 2], False)]
)
def test_gapless_means_each_once_from_nought(sequences: list[int], expected: bool) -> None:
    assert is_gapless(sequences) is expected


def test_sessions_take_turns_at_showing_red() -> None:
    plan = LoadPlan("nats://127.0.0.1:1", ("a", "b", "c"), start_ms=0, red_every=4)
    assert [[turn for turn in range(8) if plan.is_red(index, turn)] for index in range(3)] == [[0, 4], [1, 5], [2, 6]]
    assert LoadPlan.decode(plan.encode()) == plan


def test_a_chart_draws_a_line_through_every_finite_point() -> None:
    drawn = svg(Chart("latency", "sessions", "ms", [Line("p50", [(1, 2.0), (2, 4.0), (3, math.inf)])], limit=5))
    paths = [part for part in drawn.split("<path ") if 'stroke="#1f5fa8"' in part]
    assert len(paths) == 1
    assert paths[0].count("L") == 1
    assert "latency" in drawn
    assert "not measured" in svg(Chart("empty", "x", "y", []))


def test_a_target_names_the_side_that_is_good() -> None:
    assert Target(5).is_met(5)
    assert not Target(5).is_met(5.1)
    assert TARGETS["sessions_sustained"].is_met(150)
    assert not TARGETS["sessions_sustained"].is_met(149)


def test_the_real_engine_adds_its_parts_once() -> None:
    assert not {Part.REAL, Part.SUMMARISED} & set(BenchSettings().measured)
    assert BenchSettings(engine=EngineKind.REAL).measured[-2:] == (Part.REAL, Part.SUMMARISED)
    alone = BenchSettings(engine=EngineKind.REAL, parts=(Part.SUMMARISED,))
    assert alone.measured == (Part.SUMMARISED, Part.REAL)


def test_steps_ascend() -> None:
    with pytest.raises(ValidationError, match="ascending"):
        BenchSettings(steps=(50, 20))


def test_what_does_not_change_is_steady() -> None:
    found = steadiness([80.0] * 50)
    assert (found.median, found.spread_share, found.drift_share) == (80, 0, 0)


def test_what_grows_drifts() -> None:
    found = steadiness([100.0 + index / 10 for index in range(100)])
    assert found.median == pytest.approx(104.9)
    assert found.spread_share == pytest.approx(5 / 104.9)
    assert found.drift_share == pytest.approx(8 / 104.9)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=50))
def test_every_value_is_within_the_spread_of_the_median(values: list[float]) -> None:
    found = steadiness(values)
    allowed = found.median * found.spread_share * (1 + 1e-9) + 1e-9
    assert all(abs(value - found.median) <= allowed for value in values)
    assert abs(found.drift_share) <= 2 * found.spread_share + 1e-9


def _decision(second: int, action: Action) -> StoredDecision:
    time_us = second * 1_000_000
    return StoredDecision(SessionKey("demo", "s-1"), second, second * 1_000, time_us, time_us, action)


def _decided(*seconds: int) -> list[StoredDecision]:
    return [_decision(second, Action.SILENT) for second in seconds]


@pytest.mark.parametrize(
    ("seconds", "missed"), [((1, 2, 3, 4, 5), 0), ((1, 2, 5), 2), ((1, 4, 6), 3), ((1, 2), 0), ((), 0)]
)
def test_missed_turns_are_the_seconds_without_a_decision(seconds: tuple[int, ...], missed: int) -> None:
    assert missed_turns(_decided(*seconds), since_us=0, until_us=10_000_000) == missed


def test_only_gaps_around_the_fault_count() -> None:
    decisions = _decided(1, 3, 4, 7, 8, 10)
    assert missed_turns(decisions, since_us=4_500_000, until_us=6_000_000) == 2


def test_only_the_tick_has_the_usual_names(tmp_path: Path) -> None:
    settings = BenchSettings(out=tmp_path)
    assert paths(settings, TICK) == (tmp_path / "tick.json", tmp_path / "report.html")
    written = [path for name in BENCHES for path in paths(settings, name)]
    assert len(set(written)) == 2 * len(BENCHES)


def _results() -> Results:
    return Results(Machine(2, "none", 1.0, "none", 0.0), {})


def test_the_worst_recovery_is_the_figure_and_each_is_in_the_report() -> None:
    results = _results()
    recoveries = (Recovery("NATS restarted", 3.0, 1.25, 40, 10), Recovery("Redis <full>", 6.0, 2.5, 60, 10))
    results.faults = Faults(
        recoveries, Integrity(500, 30, True, False, True, ("s-1: 3 turns committed, 2 decisions stored",))
    )
    page = html(results)
    assert results.summary()["recovery_s"] == 2.5
    assert "<td>NATS restarted</td><td>3.0</td><td>1.25</td><td>4.0</td>" in page
    assert "Redis &lt;full&gt;" in page
    assert "s-1: 3 turns committed, 2 decisions stored" in page


def test_memory_that_grows_misses_its_target_unless_it_is_not_ours() -> None:
    grown, flat = steadiness([100.0, 150.0, 200.0]), steadiness([100.0, 102.0])
    soak = Soak(50, 7_200, 7_190, 5, 900, 60.0, 360_000, 0, 9_000, {"nats": grown, "codec-1": flat}, {"codec-1": [1.0]})
    results = _results()
    results.soak = soak
    assert results.met() == {"rss_spread": True}
    assert "7,190 turns or more" in html(results)
    results.soak = replace(soak, memory_mib={"codec-1": grown})
    assert results.met() == {"rss_spread": False}


def test_a_second_counts_as_alive_when_the_camera_served_for_all_of_it() -> None:
    course = Course(away=[(100.5, 120.25)])
    alive = [from_s for from_s in (98.0, 99.5, 99.6, 110.0, 120.0, 120.25, 121.0) if course.was_alive(from_s)]
    assert alive == [98.0, 99.5, 120.25, 121.0]


def test_a_watched_camera_has_two_targets() -> None:
    results = _results()
    results.camera = Watched(10.0, 560, 557, 557 / 560, 22.0, [0.4, 10.5], [2.0, 3.0], {"clock_drift": 30})
    assert results.met() == {"decided_share": True, "outage_told_s": False}
    assert results.summary()["outage_told_s"] == 10.5


def test_seconds_decided_are_counted_between_the_first_and_the_last_of_each_session() -> None:
    whole, holed = ([Decided(0, decision) for decision in _decided(*seconds)] for seconds in ((1, 2, 3), (4, 7)))
    assert decided_share([whole]) == 1
    assert decided_share([whole, holed]) == 5 / 7
    assert decided_share([whole, []]) == 3 / 4


def test_received_clients_are_told_by_the_largest_step_that_was_sustained() -> None:
    quick, late = spread([20.0] * 100), spread([20.0] * 98 + [900.0] * 2)
    steps = (Step(4, 1.0, 0.08, quick), Step(8, 0.97, 0.09, quick), Step(8, 1.0, 0.09, late))
    assert [is_sustained(step, 500) for step in steps] == [True, False, False]
    results = _results()
    results.webrtc = Received(steps, 4, 8.0, 20.0, 180.0, 0.03, 0.01)
    assert results.met() == {"webrtc_rss_spread": True}
    assert (results.summary()["webrtc_clients"], results.summary()["webrtc_core_share"]) == (4, 0.08)
    results.webrtc = Received(steps[1:], 0, 0.0, 0.0)
    assert results.met() == {}
    assert results.summary()["webrtc_clients"] == 0


def test_what_brains_cost_is_the_p99_beside_them_to_that_beside_none() -> None:
    runs = [TickRun(with_brains, 20, 100, spread([ms]), {}) for ms, with_brains in ((4.0, False), (5.0, True)) * 2]
    assert p99_ratio(runs) == 1.25
    burst = Burst(100, spread([10.0]), spread([14.0]), 64, 4, 100, 0, 51.0)
    results = _results()
    results.brains = Brains(tuple(runs), Toppled(8, 2.9, 0.2), burst)
    assert results.met() == {
        "tick_p99_ratio": True,
        "burst_tick_p99_ratio": False,
        "cancel_s": True,
        "handover_s": True,
    }


def test_memory_covers_the_time_that_no_gap_parts_from_now() -> None:
    turn = Turn(9, 9_000, (), SILENCE)
    memory = Memory((Block("0-2000-0", 0, 0, 2_000, "A."), Block("4000-9000-0", 0, 4_000, 9_000, "B.")))
    state = SessionState(10, 9_000, Chunk(turns=(turn,)), memory=memory)
    assert covered_ms(state) == 6_000
    assert covered_ms(replace(state, memory=replace(memory, unwritten=(Unwritten(2_000, 4_000),)))) == 10_000


def test_a_day_of_memory_stays_within_its_budget() -> None:
    """The first ten minutes of it."""
    day = Day()
    for second in range(600):
        infer, _ = day.turn(second)
    assert covered_ms(day.state) == 600_000
    assert (day.requests, day.failed) == (8, 1), "one merger"
    assert 0 < day.state.memory.tokens <= SPEC.memory.most_tokens
    assert prompt_tokens(infer) > day.state.memory.tokens + PICTURE_TOKENS * len(day.state.chunk.turns)


def _ticks(tick_ms: float, first_ms: float) -> list[Decided]:
    """Thirty seconds of a session, whose every tenth turn is the first of a chunk and finds 90 of 100 tokens cached."""
    found: list[Decided] = []
    for second in range(30):
        is_first = second % 10 == 0
        shown = replace(_decision(second, Action.SILENT), prompt_tokens=100, cached_tokens=90, prefix_share=1.0)
        decision = replace(shown, prefix_share=0.2) if is_first else shown
        arrival_us = decision.capture_time_us + round(1_000 * (first_ms if is_first else tick_ms))
        found.append(Decided(arrival_us, decision))
    return found


def test_what_memory_costs_is_the_first_tick_of_a_chunk_to_the_median_and_the_p95_to_that_without() -> None:
    cases = [case(writer, _ticks(40.0, 50.0), blocks=3, unwritten=1) for writer in Writer]
    cases[1] = case(Writer.ENGINE, _ticks(50.0, 100.0), blocks=3, unwritten=0)
    assert (cases[0].ticks, cases[0].boundaries, cases[0].cached_share) == (20, 2, 0.9), "the first ten are left out"
    around = dict(cases[0].around_ms)
    assert (min(around), max(around), around[-1], around[0], around[1]) == (-5, 10, 40.0, 50.0, 40.0)
    results = _results()
    results.remembering = Remembering(1, 10, 30.0, tuple(cases))
    summary = results.summary()
    assert (summary["boundary_ratio"], summary["memory_tick_p95_ratio"], summary["delayed_ticks"]) == (2.0, 2.0, 0)
    assert results.met() == {"boundary_ratio": False, "memory_tick_p95_ratio": False}
    assert "<td>engine</td><td>50.0</td><td>100.0</td><td>100.0</td><td>2.00</td>" in html(results)


def test_without_the_end_of_a_chunk_nothing_is_said_of_it() -> None:
    with pytest.raises(RuntimeError, match="no chunk ended with the writer slow: raise VIGIL_BENCH_REMEMBERING_S"):
        case(Writer.SLOW, _ticks(40.0, 50.0)[11:19], blocks=0, unwritten=0)


def test_with_the_real_engine_the_benchmark_of_memory_is_another() -> None:
    assert named(BenchSettings(), "memory") == "memory"
    assert named(BenchSettings(engine=EngineKind.REAL), "memory") == "memory-real"
    assert named(BenchSettings(engine=EngineKind.REAL), "brain") == "brain"


def test_a_task_is_overtaken_by_one_that_is_less_urgent_and_came_no_earlier() -> None:
    def task(priority: int, queued_ms: int, started_ms: int) -> TaskRecord:
        request = TaskRequest("bench", "s", "cam", f"t-{started_ms}", "Why?", priority=priority)
        return TaskRecord(request, TaskState.READY, queued_ms=queued_ms, started_ms=started_ms)

    assert overtaken([task(8, 0, 1_000), task(1, 0, 3_000)]) == 0
    assert overtaken([task(8, 0, 3_000), task(1, 0, 1_000)]) == 1
    assert overtaken([task(8, 2_000, 3_000), task(1, 0, 1_000)]) == 0, "it came later"
    assert overtaken([task(1, 0, 3_000), task(1, 0, 1_000)]) == 0, "neither is more urgent"


def test_a_gauge_is_read_from_the_text_of_metrics() -> None:
    text = "# TYPE vigil_brain_waiting gauge\nvigil_brain_waiting 64.0\nvigil_brain_waiting_more 7.0\n"
    assert (gauge(text, "vigil_brain_waiting"), gauge(text, "vigil_brain_running")) == (64, 0)


def test_a_load_shows_red_in_one_turn_everywhere_or_in_turns() -> None:
    together = LoadPlan("nats://x", ("a", "b"), 0, red_turn=3)
    assert [[together.is_red(index, turn) for turn in range(5)] for index in range(2)] == [
        [False] * 3 + [True, False]
    ] * 2
    by_turns = LoadPlan("nats://x", ("a", "b"), 0, red_every=2)
    assert [[by_turns.is_red(index, turn) for turn in range(3)] for index in range(2)] == [
        [True, False, True],
        [False, True, False],
    ]


def test_alerts_open_and_close_with_the_words() -> None:
    actions = (Action.SILENT, Action.SPEAK, Action.SPEAK, Action.SILENT, Action.SILENT, Action.SPEAK)
    decisions = [_decision(second, action) for second, action in enumerate(actions)]
    assert alert_changes(decisions) == [("opened", 1000), ("closed", 3000), ("opened", 5000)]
    assert alert_changes([]) == []


async def test_a_load_is_held_until_the_condition_holds_or_the_time_is_over() -> None:
    looks = iter([False, False, True])
    assert await hold_until(lambda: next(looks), 60, "three looks")
    assert not await hold_until(lambda: False, 0.1, "what never comes")


def test_the_cost_of_spans_is_the_mean_of_the_rounds_with_less_the_mean_of_those_without() -> None:
    plain = [Run(False, 20, 100, 0, spread([ms]), {"codec-1": 0.5, "interaction-1": ms / 2}) for ms in (2.0, 4.0)]
    traced = [Run(True, 20, 100, 900, spread([ms]), {"codec-1": 1.0, "interaction-1": ms / 2}) for ms in (3.0, 6.0)]
    found = tracing([plain[0], traced[0], plain[1], traced[1]])
    assert (found.spans_per_tick, found.tick_p50_added_ms, found.cpu_added_ms) == (9, 1.5, 1.25)


def test_the_cost_of_modules_is_the_middle_of_the_rounds_with_them_over_the_middle_of_those_without() -> None:
    without = [ModulesRun(False, spread([ms, 10 * ms]), 0.0, 1.0) for ms in (2.0, 4.0, 4.2)]
    beside = [ModulesRun(True, spread([ms, 12 * ms]), 0.9, 1.0) for ms in (2.5, 50.0, 5.0)]
    found = compared(150, [run for both in zip(without, beside, strict=True) for run in both])
    assert (found.sessions, found.tick_p50_ratio, found.tick_p99_ratio) == (150, 1.25, 1.5)
