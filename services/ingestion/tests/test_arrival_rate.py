"""Slow sources, and recordings without a stated length."""

from hypothesis import given
from hypothesis import strategies as st

from vigil_ingestion.arrival_rate import KNOWN_AFTER, ArrivalRate

S = 1_000_000


def paced(times_s: list[float]) -> ArrivalRate:
    rate = ArrivalRate(0)
    for time_s in times_s:
        rate = rate.step(int(time_s * S))
    return rate


def test_a_source_may_be_silent_until_its_pace_is_known() -> None:
    assert not paced([]).may_be_silent(5 * S)  # it has shown nothing: it may be dead
    assert paced([1]).may_be_silent(5 * S)
    assert paced([1, 1.04]).may_be_silent(5 * S)
    assert not paced([1, 1.04, 1.08, 1.12, 1.16]).may_be_silent(5 * S)
    assert paced([1, 8, 15, 22]).may_be_silent(5 * S)


@given(st.floats(0.01, 60), st.integers(KNOWN_AFTER, 200))
def test_a_steady_source_may_be_silent_when_its_gaps_are_long(gap_s: float, pictures: int) -> None:
    rate = paced([gap_s * index for index in range(pictures)])
    if abs(gap_s - 2.5) > 1e-3:
        assert rate.may_be_silent(5 * S) == (gap_s > 2.5)


@given(st.floats(0.3, 3_600))
def test_what_comes_as_it_was_filmed_is_no_recording(seconds: float) -> None:
    kept_s = min(seconds, 2)  # a camera's server may send at once what it kept
    assert not ArrivalRate(0).is_recording(int(seconds * S), int((seconds + kept_s) * S))
    assert ArrivalRate(0).is_recording(int(seconds / 10 * S), int((seconds + 0.3) * S))
