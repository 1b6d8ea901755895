"""Lateness and a file's timeline: the pure policies around a source."""

import time

from hypothesis import given
from hypothesis import strategies as st

from vigil_ingestion.clock import WallClock
from vigil_ingestion.lateness import Gate, Lag, Passage
from vigil_ingestion.timeline import Timeline

S = 1_000_000


def test_late_packets_are_decoded_unseen_and_lost_ones_skipped_up_to_a_key_frame_on_time() -> None:
    gate, passages = Gate(late_us=1 * S, lost_us=4 * S, on_time_us=S // 4), []
    inter = [(0, False), (1 * S, False), (1 * S + 1, False), (4 * S, True), (S, False), (4 * S + 1, False)]
    skipped = [(0, False), (1 * S, True), (S // 4, True), (0, False)]
    for lag_us, key_frame in inter + skipped:
        gate, passage = gate.step(lag_us, key_frame)
        passages.append(passage.name)
    assert passages == ["SHOW", "SHOW", "HIDE", "HIDE", "SHOW", "SKIP", "SKIP", "SKIP", "SHOW", "SHOW"]


@given(st.lists(st.tuples(st.integers(-S, 10 * S), st.booleans()), max_size=60))
def test_nothing_late_is_ever_shown(packets: list[tuple[int, bool]]) -> None:
    gate = Gate()
    for lag_us, key_frame in packets:
        was_skipping = gate.skipping
        gate, passage = gate.step(lag_us, key_frame)
        if passage is Passage.SHOW:
            assert lag_us <= gate.late_us
            assert not was_skipping or key_frame


def test_lag_is_measured_from_the_earliest_arrival() -> None:
    lag, lags = Lag(drift=0.0), []
    for now_us, position_us in (
        (10 * S, 0),
        (11 * S, 1 * S),
        (14 * S, 2 * S),
        (14 * S, 3 * S),
        (14 * S, 5 * S),
        (15 * S, 5 * S),
    ):
        lag, lag_us = lag.step(now_us, position_us)
        lags.append(lag_us)
    assert lags == [0, 0, 2 * S, 1 * S, 0, 1 * S]


def test_a_day_of_clock_drift_is_no_lag() -> None:
    lag, worst_us = Lag(), 0
    for second in range(86_400):
        lag, lag_us = lag.step(int(second * S * 1.0002), second * S)
        worst_us = max(worst_us, lag_us)
    assert worst_us < 1_000


def test_a_camera_that_sets_its_clock_is_not_late() -> None:
    lag, _ = Lag().step(100 * S, 90 * S)
    lag, lag_us = lag.step(101 * S, 0)
    assert lag_us == 0
    assert lag.step(103 * S, 1 * S)[1] > 0


times = st.integers(0, 10**15)


@given(times, st.integers(1, 10**11), st.integers(0, 10**13))
def test_playback_is_where_the_wall_clock_says(origin_us: int, duration_us: int, elapsed_us: int) -> None:
    timeline = Timeline(origin_us, duration_us, loop=True)
    turn, position_us = timeline.at(origin_us + elapsed_us)
    assert 0 <= position_us < duration_us
    assert timeline.due_us(turn, position_us) == origin_us + elapsed_us
    assert timeline.has(turn)


def test_without_a_loop_there_is_one_round() -> None:
    timeline = Timeline(5 * S, 4 * S, loop=False)
    assert [timeline.has(timeline.at(now_s * S)[0]) for now_s in (0, 5, 8, 9, 99)] == [True, True, True, False, False]


def test_the_clock_never_starts_before_what_was_watched_already() -> None:
    ahead_us = time.time_ns() // 1_000 + 45_000_000
    clock = WallClock(not_before_us=ahead_us)
    assert ahead_us <= clock.now_us() < ahead_us + 5_000_000
    assert abs(WallClock().now_us() - time.time_ns() // 1_000) < 5_000_000
