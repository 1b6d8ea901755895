"""A text is cut where a voice would take breath."""

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_tts.text.sentences import FIRST_CHARS, MAX_CHARS, sentences


def pieces(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A man is at the door. He holds a parcel!", ["A man is at the door.", "He holds a parcel!"]),
        ("Is it locked? Yes.", ["Is it locked?", "Yes."]),
        ("Dr. Smith is here. So is J. Doe.", ["Dr. Smith is here.", "So is J. Doe."]),
        ("It is 3.5 m long. Wait.", ["It is 3.5 m long.", "Wait."]),
        ("He came at 5 p.m. and left.", ["He came at 5 p.m. and left."]),
        ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
        ("一个人在门口。他拿着包裹！要问好吗？", ["一个人在门口。", "他拿着包裹！", "要问好吗？"]),
        ("First line\n\n second line", ["First line", "second line"]),
        ("Well... maybe.", ["Well... maybe."]),
        ("So did I. Then it rained.", ["So did I.", "Then it rained."]),
        ("  ", []),
        ("", []),
    ],
)
def test_it_ends_a_sentence_where_one_ends(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_a_long_first_sentence_is_cut_at_its_first_clause() -> None:
    text = "A man in a red coat is at the door, and behind him a second person waits with a large parcel in the rain."
    assert pieces(text) == [
        "A man in a red coat is at the door,",
        "and behind him a second person waits with a large parcel in the rain.",
    ]
    assert pieces(f"Look. {text}") == ["Look.", text]


def test_a_first_sentence_without_a_clause_stays_whole() -> None:
    text = "word " * 20 + "end."
    assert FIRST_CHARS < len(text) < MAX_CHARS
    assert pieces(text) == [text]


def test_a_text_without_any_mark_is_cut_between_words() -> None:
    assert all(len(piece) <= MAX_CHARS for piece in pieces("word " * 500))
    assert all(len(piece) <= MAX_CHARS for piece in pieces("x" * 5_000))
    assert "".join(pieces("火" * 1_000)) == "火" * 1_000


@pytest.mark.parametrize("text", ["a" * 1_000 + " A." * 333, "." * 1_999 + "x", " " * 1_999 + "x", "a, " * 666])
def test_no_text_takes_long_to_cut(text: str) -> None:
    begun = time.process_time()
    sentences(text)
    assert time.process_time() - begun < 0.1, "sessions share a thread: meanwhile none of them speaks"


@given(st.text(st.sampled_from("ab A.!?,;\n 。，1\"'”…I"), max_size=800))
def test_nothing_but_white_space_is_lost(text: str) -> None:
    cut = sentences(text)
    assert "".join(re.sub(r"\s", "", sentence.text) for sentence in cut) == re.sub(r"\s", "", text)
    assert all(text[sentence.begin : sentence.end] == sentence.text for sentence in cut)
    assert all(0 < len(sentence.text) <= MAX_CHARS for sentence in cut)
    assert all(before.end <= after.begin for before, after in itertools.pairwise(cut))
