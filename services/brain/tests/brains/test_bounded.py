"""Reading bytes in pieces of any size, within bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_brain.brains.bounded import (
    MAX_EVENT_BYTES,
    Allowance,
    BoundedText,
    EventParser,
    Flooded,
    LineParser,
    ServerEvent,
)
from vigil_brain.brains.port import BrainError

STREAM = b'event: done\r\ndata: {"a": 1}\r\n\r\n: a comment\n\ndata: one\ndata: two\nid: 7\n\ndata: never ended'
EVENTS = [ServerEvent("done", '{"a": 1}'), ServerEvent("message", "one\ntwo")]


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(body), *(cut % (len(body) + 1) for cut in cuts)})
    return [body[start:end] for start, end in pairwise(places)]


@given(st.lists(st.integers(min_value=0, max_value=1_000), max_size=12))
def test_events_are_the_same_however_the_bytes_come(cuts: list[int]) -> None:
    parser = EventParser()
    assert [event for piece in pieces(STREAM, cuts) for event in parser.feed(piece)] == EVENTS


@given(st.lists(st.integers(min_value=0, max_value=1_000), max_size=12))
def test_lines_are_the_same_however_the_bytes_come(cuts: list[int]) -> None:
    parser = LineParser()
    lines = [line for piece in pieces(b"a\r\n\nbc\nd", cuts) for line in parser.feed(piece)]
    assert (lines, parser.last()) == ([b"a", b"", b"bc"], b"d")


def test_a_line_that_is_too_long_is_refused_before_it_ends() -> None:
    parser = LineParser(most=10)
    with pytest.raises(BrainError, match="more than"):
        list(parser.feed(b"x" * 11))


def test_an_event_of_many_lines_is_bounded() -> None:
    parser, piece = EventParser(), b"data: " + b"x" * 1_000_000 + b"\n"
    for _ in range(MAX_EVENT_BYTES // 1_000_006):
        assert list(parser.feed(piece)) == []
    with pytest.raises(BrainError, match="more than"):
        list(parser.feed(piece))


def test_an_allowance_ends() -> None:
    allowance = Allowance(10)
    allowance.take(10)
    with pytest.raises(Flooded):
        allowance.take(1)


def test_a_text_that_is_too_long_is_cut_and_says_so() -> None:
    text = BoundedText(most=10)
    for _ in range(1_000):
        text.append("abc")
    assert text.text == "abcabcabca\n\n[The rest of this answer was too long and was cut.]"


def test_a_text_within_its_bound_stays() -> None:
    text = BoundedText(most=6)
    text.append("abc")
    text.append("def")
    assert (text.text, text.was_cut) == ("abcdef", False)
