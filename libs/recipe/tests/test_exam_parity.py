"""Which turns count as decided alike, by value."""

from __future__ import annotations

import pytest

from vigil_recipe.exam.players.parity import Shown, from_json, same_decisions, to_json

SPEAKS, DELEGATES = "</response> It burns.", "</response> One moment. </delegation> How hot is it?"


@pytest.mark.parametrize(
    ("reply", "decided", "same"),
    [
        ("</silence>", ["</silence>", "<|im_end|>"], True),
        ("</silence>", ["Fire", "<|im_end|>"], True),  # no control token is silence
        ("</silence>", ["</response>", "<|im_end|>"], False),
        (SPEAKS, ["</response>", "It", "burns", ".", "<|im_end|>"], True),
        (SPEAKS, ["</response>", "It", "is", ".", "<|im_end|>"], True),  # other words are no other decision
        (SPEAKS, ["</silence>", "It", "burns", ".", "<|im_end|>"], False),
        (SPEAKS, ["</response>", "It", "burns", ".", "</delegation>"], False),
        (DELEGATES, ["</response>", "One", "moment", ".", "</delegation>", "How", "<|im_end|>"], True),
        (DELEGATES, ["</response>", "One", "moment", ".", "<|im_end|>", "How", "<|im_end|>"], False),
    ],
)
def test_a_decision_is_the_first_token_and_whether_it_delegates(reply: str, decided: list[str], same: bool) -> None:
    assert same_decisions([reply], [decided]) == same


def test_episodes_are_read_as_they_were_written_and_uneven_ones_refused() -> None:
    episode = Shown((("Alert me.",), ()), ("</silence>", SPEAKS), (b"1", b"2"))
    assert from_json(to_json(episode)) == episode
    with pytest.raises(ValueError, match="2 turns of lines, 1 replies, 2 pictures"):
        from_json(to_json(Shown(episode.lines, ("</silence>",), episode.jpegs)))
