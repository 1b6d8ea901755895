"""What becomes of an alert after an attempt: by value and by property."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_webhook.verdict import MAX_RETRY_AFTER_S, Fate, Outcome, Patience, is_refusal, judge, retry_after_s

PATIENCE = Patience(tries=10, refusals=3, first_s=1.0, most_s=60.0)
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "tries", "fate"),
    [
        (Outcome(200), 1, Fate.DELIVERED),
        (Outcome(204), 99, Fate.DELIVERED),
        (Outcome(410), 1, Fate.DEAD),
        (Outcome(301), 1, Fate.RETRY),
        (Outcome(301), 3, Fate.DEAD),
        (Outcome(400), 2, Fate.RETRY),
        (Outcome(400), 3, Fate.DEAD),
        (Outcome(500), 3, Fate.DEAD),
        (Outcome(503), 3, Fate.RETRY),
        (Outcome(503), 10, Fate.DEAD),
        (Outcome(429), 9, Fate.RETRY),
        (Outcome(error="it cannot be reached"), 9, Fate.RETRY),
        (Outcome(error="it cannot be reached"), 10, Fate.DEAD),
        (Outcome(error="not allowed", forbidden=True), 3, Fate.DEAD),
    ],
)
def test_fates(outcome: Outcome, tries: int, fate: Fate) -> None:
    assert judge(outcome, tries, tries, PATIENCE, 0.5).fate is fate


def test_a_receiver_that_was_away_for_long_may_still_refuse_a_few_times() -> None:
    assert judge(Outcome(500), 8, 1, PATIENCE, 0.5).fate is Fate.RETRY
    assert judge(Outcome(401), 9, 3, PATIENCE, 0.5).fate is Fate.DEAD
    assert judge(Outcome(500), 10, 1, PATIENCE, 0.5).fate is Fate.DEAD, "all tries together have an end"
    assert [is_refusal(outcome) for outcome in (Outcome(200), Outcome(503), Outcome(error="away"), Outcome(401))] == [
        False,
        False,
        False,
        True,
    ]


def test_a_reason_says_what_happened() -> None:
    assert judge(Outcome(503), 10, 0, PATIENCE, 0).reason == "it answered 503, after 10 tries"
    assert judge(Outcome(410), 1, 0, PATIENCE, 0).reason == "the endpoint is gone (410)"
    assert judge(Outcome(307), 1, 1, PATIENCE, 0).reason == "it answered 307: redirects are not followed"


@given(tries=st.integers(1, 10_000), uniform=st.floats(0, 1, exclude_max=True))
def test_the_wait_doubles_within_its_bounds(tries: int, uniform: float) -> None:
    plain = min(60.0, 2.0 ** min(tries - 1, 32))
    assert plain / 2 <= PATIENCE.delay_s(tries, uniform) <= plain


@given(asked_s=st.floats(0, 1e9), uniform=st.floats(0, 1, exclude_max=True))
def test_what_the_receiver_asks_for_is_honoured_within_a_bound(asked_s: float, uniform: float) -> None:
    verdict = judge(Outcome(503, retry_after_s=asked_s), 1, 0, PATIENCE, uniform)
    assert verdict.delay_s >= min(asked_s, MAX_RETRY_AFTER_S)
    assert verdict.delay_s <= MAX_RETRY_AFTER_S


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("-1", 0),
        ("1.5", 0),
        ("soon", 0),
        ("9" * 400, MAX_RETRY_AFTER_S),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30),
        ("Sat, 31 Jan 2026 11:59:30 GMT", 0),
        ("Sat, 31 Jan 2026 12:00:30 -0000", 30),
    ],
)
def test_retry_after(header: str, expected: float) -> None:
    assert retry_after_s(header, NOW) == expected


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    assert retry_after_s(header, NOW) >= 0
