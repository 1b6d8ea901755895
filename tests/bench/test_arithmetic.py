"""What turns measurements into figures, by value and property."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.load_plan import LoadPlan
from bench.plot import Chart, Line, svg
from bench.results import TARGETS, Target
from bench.settings import BenchSettings, EngineKind, Part
from bench.statistics import is_gapless, longest_gap, quantile, slope, spread

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


def test_the_real_engine_adds_its_part() -> None:
    assert Part.REAL not in BenchSettings().measured
    assert BenchSettings(engine=EngineKind.REAL).measured[-1] is Part.REAL


def test_steps_ascend() -> None:
    with pytest.raises(ValidationError, match="ascending"):
        BenchSettings(steps=(50, 20))
