"""The loops of a decoder."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_asr.whisper_server.repeats import without_repeats


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", ""),
        ("Alert me when a fire starts.", "Alert me when a fire starts."),
        ("No, no, that is wrong.", "No, no, that is wrong."),
        ("the the the the the", "the"),
        ("Is he there? Is he there? Is he there? Is", "Is he there?"),
        ("Alert me when a fire starts. Alert me when a fire starts.", "Alert me when a fire starts."),
        ("Who is at the door now? Who is at the door, and", "Who is at the door now?"),
        ("one two three four five one two", "one two three four five one two"),
    ],
)
def test_a_loop_is_cut_where_it_begins(text: str, cut: str) -> None:
    assert without_repeats(text) == cut


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=6), st.integers(3, 6))
def test_words_said_again_and_again_are_said_once(words: list[str], times: int) -> None:
    cut = without_repeats(" ".join(words * times)).split()
    assert cut == words[: len(cut)]
    assert cut


@given(st.text("ab ,.", max_size=60))
def test_what_stays_is_the_beginning(text: str) -> None:
    cut = without_repeats(text).split()
    assert text.split()[: len(cut)] == cut
