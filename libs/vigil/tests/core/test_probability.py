"""p(silence), p(speak), p(delegate) from the first token's log-probabilities."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.probability import Probabilities, probabilities
from vigil.core.profile import CONTROL_SPELLING, HARNESS, Spelling


def measured(first: dict[str, float], spelling: Spelling = CONTROL_SPELLING) -> tuple[float, float, float] | None:
    """From plain probabilities of tokens to those of the actions."""
    found = probabilities({token: math.log(one) for token, one in first.items()}, spelling)
    return (found.silent, found.speak, found.delegate) if found else None


def test_control_tokens_are_normalised_among_themselves() -> None:
    assert measured({"</silence>": 0.6, "</response>": 0.2, "The": 0.2}) == pytest.approx((0.75, 0.25, 0.0))
    assert measured({"</silence>": 0.5, "</response>": 0.3, "</delegation>": 0.2}) == pytest.approx((0.5, 0.3, 0.2))


def test_tokens_that_begin_a_word_count_for_it() -> None:
    first = {"QU": 0.1, "QUIET": 0.3, " SPEAK": 0.2, "S": 0.2, "DEL": 0.2, "speak": 0.1}
    assert measured(first, HARNESS.spelling) == pytest.approx((0.4, 0.4, 0.2))


def test_a_token_that_begins_several_words_says_nothing() -> None:
    assert measured({"</": 0.9, "</silence>": 0.05, "</re": 0.05}) == pytest.approx((0.5, 0.5, 0.0))


@pytest.mark.parametrize("first", [{}, {"The": 0.9}, {"<": 0.5, "</": 0.4}, {"": 0.5, " \n": 0.4}])
def test_without_an_action_word_nothing_is_claimed(first: dict[str, float]) -> None:
    assert measured(first) is None


def test_a_log_probability_of_minus_infinity_is_no_mass() -> None:
    assert probabilities({"</silence>": -math.inf}, CONTROL_SPELLING) is None
    assert probabilities({"</silence>": -math.inf, "</response>": -1.0}, CONTROL_SPELLING) == Probabilities(0, 1, 0)


tokens = st.one_of(
    st.sampled_from(["</silence>", "</response>", "</delegation>", "</", "</s", "A"]), st.text(max_size=4)
)


@given(st.dictionaries(tokens, st.floats(-200, 0), max_size=20))
def test_they_are_probabilities(first: dict[str, float]) -> None:
    found = probabilities(first, CONTROL_SPELLING)
    if found is None:
        assert not {"</silence>", "</response>", "</delegation>"} & set(first)
        return
    parts = (found.silent, found.speak, found.delegate)
    assert all(0 <= one <= 1 for one in parts)
    assert sum(parts) == pytest.approx(1)
