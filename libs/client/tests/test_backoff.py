"""Back-off by value and property."""

from hypothesis import given
from hypothesis import strategies as st

from vigil_client.backoff import Backoff


@given(failures=st.integers(1, 10_000), uniform=st.floats(0, 1, exclude_max=True))
def test_backoff_stays_within_its_bounds(failures: int, uniform: float) -> None:
    policy = Backoff(first_s=0.25, last_s=5.0, jitter=0.3)
    assert 0.25 * 0.7 <= policy.delay_s(failures, uniform) <= 5.0 * 1.3


def test_backoff_doubles_and_forgives() -> None:
    policy = Backoff(first_s=0.25, last_s=5.0, jitter=0.0, forgive_s=20.0)
    assert [policy.delay_s(n, 0.5) for n in range(1, 8)] == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert policy.failures(6, ran_s=1.0) == 7
    assert policy.failures(6, ran_s=20.0) == 1
