"""Estimates of when each word is heard."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_tts.word_times import begun, heard_until, weight, word_shares


def test_words_take_the_time_that_their_length_takes() -> None:
    one, two, three = word_shares("A fire starts")
    assert [(word.begin, word.end) for word in (one, two, three)] == [(0, 1), (2, 6), (7, 13)]
    assert (one.from_share, three.to_share) == (0, 1)
    assert two.to_share - two.from_share == pytest.approx(5 / 14)


def test_chinese_is_read_character_by_character() -> None:
    words = word_shares("着火了 now")
    assert [(word.begin, word.end) for word in words] == [(0, 1), (1, 2), (2, 3), (4, 7)]
    assert weight("着火") == 6


def test_each_word_is_told_with_the_piece_that_it_begins_in() -> None:
    words = word_shares("aaa bbb ccc ddd")
    first = [(timed.word.begin, round(timed.from_s, 3), round(timed.to_s, 3)) for timed in begun(words, 0.0, 0.5, 1.0)]
    assert first == [(0, 0.0, 0.25), (4, 0.25, 0.5)]
    second = [(timed.word.begin, round(timed.from_s, 3)) for timed in begun(words[2:], 0.5, 1.0, 1.0)]
    assert second == [(8, 0.0), (12, 0.25)]


def test_a_word_that_should_have_begun_earlier_begins_with_the_next_piece() -> None:
    words = word_shares("aaa bbb ccc ddd")
    assert begun(words, 0.0, 0.5, 4.0) == begun(words[:1], 0.0, 0.5, 4.0), "it seemed to take four seconds"
    late = begun(words[1:], 0.5, 1.0, 1.0)
    assert [(timed.word.begin, timed.from_s) for timed in late] == [(4, 0.0), (8, 0.0), (12, 0.25)]


def test_what_was_heard_ends_with_a_whole_word() -> None:
    words = word_shares("aaa bbb ccc ddd")
    assert [heard_until(words, played_s, 4.0) for played_s in (0.0, 0.5, 1.0, 2.5, 4.0)] == [0, 0, 3, 7, 15]


@given(st.text(max_size=200), st.floats(0.1, 60), st.lists(st.floats(0, 60), max_size=10))
def test_every_word_is_in_exactly_one_piece(sentence: str, whole_s: float, cuts: list[float]) -> None:
    words = word_shares(sentence)
    edges = [0.0, *sorted(cut for cut in cuts if cut < whole_s), whole_s]
    told = 0
    for begin, end in pairwise(edges):
        told += len(begun(words[told:], begin, end, whole_s))
    assert told == len(words)
    assert heard_until(words, whole_s, whole_s) == (words[-1].end if words else 0)
