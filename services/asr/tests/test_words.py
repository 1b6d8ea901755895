"""Words as they are compared, and which words of a partial transcript stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_asr.words import plain_words, stable_chars


@pytest.mark.parametrize(
    ("before", "now", "stable"),
    [
        ("", "is", ""),
        ("is", "is any", "is"),
        ("Is any", "is anybody there", "is"),
        ("is anybody.", "Is  anybody, there", "Is  anybody,"),
        ("is anybody there", "was anybody there", ""),
        ("is anybody there", "is", "is"),
    ],
)
def test_words_on_which_two_hypotheses_agree_are_stable(before: str, now: str, stable: str) -> None:
    assert now[: stable_chars(before, now)] == stable


@given(st.text(" ab.,", max_size=20))
def test_what_is_said_twice_is_stable(text: str) -> None:
    assert stable_chars(text, text) == len(text.rstrip())


def test_punctuation_alone_is_no_word() -> None:
    assert plain_words(' "Stop!" - he said… ') == ("stop", "he", "said")
