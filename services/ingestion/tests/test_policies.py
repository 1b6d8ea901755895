"""A file's timeline and the clock of a source: the pure policies around a source."""

import time

from hypothesis import given
from hypothesis import strategies as st

from vigil_ingestion.clock import WallClock
from vigil_ingestion.timeline import Timeline

S = 1_000_000


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
