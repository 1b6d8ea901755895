"""Waiting before something is tried again."""

from hypothesis import given
from hypothesis import strategies as st

from vigil.runtime.process.backoff import Backoff


def test_waits_double_up_to_the_longest() -> None:
    backoff = Backoff(first_s=0.5, most_s=15.0)
    assert [backoff.delay_s(failures, 0.0) for failures in (1, 2, 3, 4, 5, 6, 7, 5_000)] == [
        0.5,
        1,
        2,
        4,
        8,
        15,
        15,
        15,
    ]


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_jitter_only_shortens_and_never_to_nothing(failures: int, chance: float) -> None:
    backoff = Backoff()
    whole = backoff.delay_s(failures, 0.0)
    assert whole * 0.7 <= backoff.delay_s(failures, chance) <= whole <= backoff.most_s


def test_what_went_well_long_enough_forgives_the_failures_before_it() -> None:
    backoff = Backoff(steady_s=10.0)
    assert backoff.failures_after(7, lasted_s=10.0) == 1
    assert backoff.failures_after(7, lasted_s=9.9) == 8
