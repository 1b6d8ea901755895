"""Replies taken apart, by value and by property."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.exam.scoring.utterances import Utterance, sentences, units, utterances

FIRE, DOOR = "A fire has started.", "The door is open."
SENTENCES = st.sampled_from([FIRE, DOOR, "Yes.", "5 seconds.", "Who?", "Now!"])


def test_sentences_end_at_marks_before_a_blank() -> None:
    assert sentences("Yes. The door is open. 3.") == ("Yes.", "The door is open.", "3.")
    assert sentences("It is 3.5 metres") == ("It is 3.5 metres",)
    assert sentences("  ") == ()


def test_the_longest_known_text_is_one_unit() -> None:
    both = f"{FIRE} {DOOR}"
    assert units(f"{both} Yes.", {FIRE, both}) == (both, "Yes.")
    assert units(both, {FIRE, DOOR}) == (FIRE, DOOR)
    assert units("Red fish. Blue fish.", set()) == ("Red fish.", "Blue fish.")


def test_a_question_belongs_to_the_holding_reply() -> None:
    reply = f"</response> Let me check. {DOOR} </delegation> What is 2 times 3?"
    assert utterances(["</silence>", reply], {DOOR}, {"Let me check."}) == (
        Utterance(1, "Let me check.", "What is 2 times 3?"),
        Utterance(1, DOOR),
    )
    assert utterances(["</delegation> Why?"], set()) == (Utterance(0, "", "Why?"),)
    assert utterances(["fire?", "</silence>"], {FIRE}) == (), "without a control token nothing is spoken"


@given(st.lists(SENTENCES, max_size=6), st.sets(SENTENCES))
def test_nothing_said_is_lost(said: list[str], known: set[str]) -> None:
    words = " ".join(said)
    assert " ".join(units(words, known)) == words
