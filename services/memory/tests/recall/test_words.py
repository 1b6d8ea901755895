"""Terms to search by: forms of a word that meet, words that say nothing, Chinese without spaces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_memory.recall.numbers import with_digits
from vigil_memory.recall.words import terms


@pytest.mark.parametrize(
    "forms",
    [
        "stop stops stopped stopping",
        "close closes closed closing",
        "move moves moved moving",
        "carry carries carried carrying",
        "drive drives drove driven driving",
        "leave leaves left leaving",
        "ring rings rang rung ringing",
        "fall falls fell fallen falling",
        "key keys",
        "box boxes",
        "person people",
        "three 3",
        "twenty-five 25",
        "man man's",
    ],
)
def test_the_forms_of_a_word_have_one_term(forms: str) -> None:
    assert len({terms(form.replace("-", " "))[-1:] for form in forms.split() if "-" not in form}) == 1


def test_words_that_say_nothing_are_left_out() -> None:
    assert terms("Do you know where the keys are?") == ("key",)
    assert terms("What happened then?") == ()


def test_short_words_stay_whole() -> None:
    assert terms("a red bus in the glass") == ("red", "bus", "glass")


def test_chinese_is_read_by_characters_and_pairs() -> None:
    assert set(terms("钥匙在哪里？")) <= set(terms("有人把钥匙放在桌子上"))
    assert set(terms("鑰匙")) == {"鑰", "鑰匙", "匙"}
    assert terms("在哪里？") == ()


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("twenty five", "25"),
        ("twenty-five", "25"),
        ("nineteen", "19"),
        ("seventy", "70"),
        ("someone", "someone"),
        ("二十五", "25"),
        ("十", "10"),
        ("两百零三", "203"),
        ("二五", "25"),
        ("一百", "100"),
    ],
)
def test_number_words_become_digits(words: str, digits: str) -> None:
    assert with_digits(words) == digits


@given(st.text())
def test_every_text_has_terms_without_a_space(text: str) -> None:
    assert all(term and not term.isspace() for term in terms(text))
