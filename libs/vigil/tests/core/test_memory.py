"""The values of memory: what they refuse, how long a text is, and where it is cut."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import InvalidSpec
from vigil.core.memory import (
    MAX_BLOCK_CHARS,
    Block,
    Memory,
    MemoryLimits,
    MemoryRequest,
    RequestKind,
    Unwritten,
    block_id,
    clipped,
    plain_lines,
    tokens,
)
from vigil.core.turn import FrameRef

PICTURE = FrameRef("f", 160, 96)
ASKED = MemoryRequest(RequestKind.SUMMARY, "demo", "s", "cam", "0-80000-0", 0, 0, 80_000, "joyai", "m")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Block("0-5-0", 0, 5, 5, "a"), "the block from 5 to 5 ms has no length"),
        (lambda: Block("0-5-0", 0, -1, 5, "a"), "the block from -1 to 5 ms has no length"),
        (lambda: Block("0-5--1", -1, 0, 5, "a"), "a block has level -1: give 0 for a summary"),
        (lambda: Block("0-6-0", 0, 0, 5, "a"), "'0-6-0' is not the id of this block"),
        (lambda: Block("0-5-0", 0, 0, 5, " \n"), "block 0-5-0 has no text"),
        (lambda: Block("0-5-0", 0, 0, 5, "a" * 4_001), "has 4,001 characters: at most 4,000 are allowed"),
        (lambda: Unwritten(5, 4), "the unwritten span from 5 to 4 ms has no length"),
        (lambda: Unwritten(0, 4, (PICTURE,)), "the span 0-4-0 has 1 pictures and 0 times"),
        (
            lambda: MemoryLimits(time_zone="../etc/passwd"),
            "memory.time_zone is '../etc/passwd': give a name of the IANA",
        ),
        (lambda: MemoryLimits(time_zone="A" * 65), "memory.time_zone is 'AAA"),
        (lambda: MemoryLimits(mid_blocks=2), "memory.mid_blocks is 2: give 3 to 20"),
        (lambda: MemoryLimits(long_blocks=61), "memory.long_blocks is 61: give 5 to 60"),
        (lambda: MemoryLimits(block_tokens=31), "memory.block_tokens is 31: give 32 to 1000 tokens"),
        (lambda: MemoryLimits(long_tokens=16_001), "memory.long_tokens is 16001: give 200 to 16000 tokens"),
        (lambda: MemoryLimits(key_frames=9), "memory.key_frames is 9: give 0 to 8"),
        (
            lambda: MemoryLimits(block_tokens=300, long_tokens=1_799),
            "memory.long_tokens is 1799: give at least 6 times memory.block_tokens, which is 300",
        ),
    ],
)
def test_what_breaks_a_rule_is_refused_in_words(make: Callable[[], object], message: str) -> None:
    with pytest.raises(InvalidSpec, match=message):
        make()


def test_memory_ends_where_the_raw_turns_begin() -> None:
    assert Memory().end_ms == 0
    assert Memory(forgotten_ms=7).end_ms == 7
    late = Unwritten(80, 160, (PICTURE, PICTURE), (90, 120))
    kept = Memory((Block("0-80-0", 0, 0, 80, "A man came in."),), (late,))
    assert (kept.end_ms, kept.pictures, kept.tokens) == (160, 2, tokens("A man came in."))


def test_the_default_budget_is_stated_and_a_session_without_memory_has_none() -> None:
    limits, off = MemoryLimits(is_on=True), MemoryLimits(is_on=False)
    assert (limits.most_tokens, limits.most_pictures) == (10 * 256 + 3_000, 16)
    assert (off.most_tokens, off.most_pictures) == (0, 0)


def test_a_request_makes_the_block_that_was_asked_for() -> None:
    block = ASKED.block("</response> A man came in.\n\n<|im_end|>[Video History] He left.")
    assert block == Block(block_id(0, 80_000, 0), 0, 0, 80_000, "A man came in.\n(Video History] He left.")
    with pytest.raises(InvalidSpec, match="has no text"):
        ASKED.block("</silence>")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("A man came in.", 6),  # 14 characters are 4.7, 4 words are 5.6
        ("internationalisation", 7),
        ("門が開いた", 5),
        ("门 a", 3),
    ],
)
def test_tokens_are_counted_on_the_safe_side(text: str, count: int) -> None:
    assert tokens(text) == count


def test_a_text_is_cut_behind_a_sentence_where_that_fits() -> None:
    assert clipped("A man came in. He sat down. He left.", 12) == "A man came in. He sat down."
    assert clipped("門が開いた。人が来た。", 8) == "門が開いた。"
    assert clipped("one two three four", 3) == "one two"
    assert clipped("A man came in.", 6) == "A man came in."


@given(st.text(max_size=300), st.integers(1, 60))
def test_a_cut_text_is_a_beginning_that_fits(text: str, most: int) -> None:
    cut = clipped(text, most)
    assert text.startswith(cut)
    assert tokens(cut) <= most


@given(st.text(max_size=MAX_BLOCK_CHARS))
def test_plain_lines_stay_as_they_are(text: str) -> None:
    assert plain_lines(plain_lines(text)) == plain_lines(text)
