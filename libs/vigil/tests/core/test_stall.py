"""When a session is stalled, by value and by property, on a clock of the test's own."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.stall import LEAST_S, MOST_S, Cause, Stall, Vitals, beginning, patience_s, stall


def decided_every(gap_s: float, turns: int) -> Vitals:
    vitals = beginning(0.0)
    for number in range(1, turns + 1):
        vitals = vitals.decided(number * gap_s)
    return vitals


def test_a_session_that_decides_every_second_is_not_stalled() -> None:
    vitals = decided_every(1.0, 60)
    assert stall(vitals, 60.9, 1.0, pushed=False) is None
    assert stall(vitals, 60.0 + LEAST_S, 1.0, pushed=False) is None


def test_without_a_picture_no_coded_frame_is_the_cause() -> None:
    found = stall(decided_every(1.0, 10), 15.1, 1.0, pushed=False)
    assert found is not None
    assert found.cause is Cause.NO_CODED_FRAME


def test_pictures_whose_turns_fail_name_what_failed_last() -> None:
    vitals = decided_every(1.0, 10)
    for second in range(11, 17):
        vitals = vitals.seen(float(second)).failed(Cause.ENGINE, "no such model")
    assert stall(vitals, 16.0, 1.0, pushed=False) == Stall(Cause.ENGINE, "no such model")
    assert stall(vitals.decided(16.5), 17.0, 1.0, pushed=False) is None


def test_an_engine_that_hangs_is_named_before_its_deadline() -> None:
    found = stall(decided_every(1.0, 10).seen(11.0), 15.9, 1.0, pushed=False)
    assert found == Stall(Cause.ENGINE, "the engine has not answered yet")


def test_a_client_that_pushes_nothing_is_no_stall_but_an_engine_that_fails_is() -> None:
    vitals = decided_every(1.0, 10)
    assert stall(vitals, 500.0, 1.0, pushed=True) is None
    failing = replace(vitals, seen_s=499.0).failed(Cause.ENGINE, "down")
    assert stall(failing, 500.0, 1.0, pushed=True) == Stall(Cause.ENGINE, "down")


@pytest.mark.parametrize(("interval_s", "limit_s"), [(0.2, 5.0), (1.0, 5.0), (2.0, 8.0), (10.0, 40.0), (60.0, 240.0)])
def test_patience_follows_the_cadence(interval_s: float, limit_s: float) -> None:
    assert patience_s(beginning(0.0), interval_s) == limit_s


def test_a_camera_with_a_picture_every_seven_seconds_is_not_stalled_once_that_is_known() -> None:
    vitals = decided_every(7.0, 3)
    assert stall(vitals, 21.0 + 7.5, 1.0, pushed=False) is None
    assert stall(vitals, 21.0 + 14.1, 1.0, pushed=False) is not None


def test_after_a_long_outage_the_next_one_is_noticed_as_soon() -> None:
    vitals = decided_every(1.0, 10).decided(130.0).decided(131.0).decided(132.0)
    assert patience_s(vitals, 1.0) == LEAST_S


@given(st.lists(st.floats(0.01, 1_000), max_size=8), st.floats(0.2, 10))
def test_patience_is_bounded(gaps: list[float], interval_s: float) -> None:
    vitals = beginning(0.0)
    for gap_s in gaps:
        vitals = vitals.decided(vitals.decided_s + gap_s)
    assert LEAST_S <= patience_s(vitals, interval_s) <= MOST_S
