"""Whose words are these? Sentences go to the instruction that shares most content words with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.attribution import NOBODY, Said, attribute, hear
from vigil.core.instruction import Instruction, Watch

FIRE = Instruction("fire", "Alert me when a fire starts.")
FALL = Instruction("fall", "Tell me if someone falls.")
DOOR = Instruction("door", "Warn me when the door is open.")
FIRE_WATCH = Instruction("fire", "Alert me when a fire starts.", Watch("fire"))


def test_each_sentence_goes_to_its_instruction() -> None:
    said = attribute("A fire has started. A person has fallen. The door is open.", (FIRE, FALL, DOOR))
    assert said == {"fire": "A fire has started.", "fall": "A person has fallen.", "door": "The door is open."}


def test_the_order_of_instructions_does_not_matter_to_clear_words() -> None:
    assert attribute("A fire has started.", (FIRE, DOOR)) == attribute("A fire has started.", (DOOR, FIRE))


def test_sentences_of_one_owner_stay_together() -> None:
    said = attribute("A fire has started. A person has fallen. The fire is 3.5 m wide", (FIRE, FALL))
    assert said == {"fire": "A fire has started. The fire is 3.5 m wide", "fall": "A person has fallen."}


def test_short_content_words_count() -> None:
    dog, car = Instruction("dog", "Alert me when a dog enters."), Instruction("car", "Alert me when a car enters.")
    assert attribute("A dog has entered.", (dog, car)) == {"dog": "A dog has entered."}
    assert attribute("A car has entered.", (car, dog)) == {"car": "A car has entered."}


def test_the_name_of_a_watch_counts_as_its_words() -> None:
    watch = Instruction("one", "Tell me if something burns.", Watch("kitchen_fire"))
    assert attribute("A fire!", (watch, DOOR)) == {"one": "A fire!"}


def test_words_of_asking_decide_nothing() -> None:
    asking = Instruction("asking", "Please tell me when someone is there.")
    assert attribute("Someone is there with the door.", (DOOR, asking)) == {"door": "Someone is there with the door."}


def test_on_a_tie_the_newest_instruction_has_it() -> None:
    assert attribute("Hello.", (FIRE, FALL)) == {"fall": "Hello."}
    assert attribute("Hello.", (FALL, FIRE)) == {"fire": "Hello."}


def test_on_a_tie_a_watch_has_it_before_what_nobody_is_paged_for() -> None:
    watch = Instruction("fire", "Alert me when a fire starts.", Watch("fire"))
    greet = Instruction("greet", "Greet everyone who comes in.")
    for order in ((watch, greet), (greet, watch)):
        assert attribute("Flames are rising from the stove.", order) == {"fire": "Flames are rising from the stove."}
        assert attribute("Everyone is welcome.", order) == {"greet": "Everyone is welcome."}
        newest = {order[1].id: "It is red."}
        assert attribute("It is red.", order, answering=True) == newest, "a question may be what it answers"


def test_words_without_spaces_are_told_apart_by_their_neighbours() -> None:
    fire, fall = Instruction("fire", "如果着火了请提醒我"), Instruction("fall", "有人摔倒时请告诉我")
    for order in ((fire, fall), (fall, fire)):
        assert attribute("厨房着火了", order) == {"fire": "厨房着火了"}
        assert attribute("一位老人摔倒了", order) == {"fall": "一位老人摔倒了"}


def test_one_instruction_has_all() -> None:
    assert attribute("Hello. How are you?", (FIRE,)) == {"fire": "Hello. How are you?"}


@pytest.mark.parametrize("spoken", ["", "  ", "\n"])
def test_nothing_said_belongs_to_nobody(spoken: str) -> None:
    assert attribute(spoken, (FIRE, FALL)) == {}


def test_without_instructions_words_belong_to_nobody() -> None:
    assert attribute("A fire has started.", ()) == {}


words = st.one_of(st.sampled_from(["fire", "fallen.", "door!", "...", "open", "3.5", "!"]), st.text(max_size=6))


@given(st.lists(words, max_size=12), st.permutations((FIRE, FALL, DOOR)), st.integers(1, 3))
def test_no_word_is_lost_and_whether_something_was_said_is_never_guessed(
    spoken: list[str], order: list[Instruction], count: int
) -> None:
    line = " ".join(" ".join(spoken).split())
    said = attribute(line, order[:count])
    assert set(said) <= {one.id for one in order[:count]}
    assert sorted(" ".join(said.values()).split()) == sorted(line.split())
    assert bool(said) == bool(line)


def test_words_in_the_turn_of_a_question_answer_it_whatever_they_fit() -> None:
    said = hear("A fire has started.", (FIRE_WATCH,), asked=True, waiting=True)
    assert said == Said({"fire": "A fire has started."}, is_answer=True, is_prompt=True)
    assert hear("", (FIRE_WATCH,), asked=True, waiting=True) == Said({}, is_answer=True), "silence answers later"


def test_words_of_a_watch_do_not_answer_a_question_that_waits_and_all_others_do() -> None:
    greet = Instruction("greet", "Greet everyone who comes in.")
    both = (FIRE_WATCH, greet)
    assert hear("A fire has started.", both, asked=False, waiting=True) == Said({"fire": "A fire has started."})
    assert hear("It is red.", both, asked=False, waiting=True) == Said({"greet": "It is red."}, is_answer=True)
    assert hear("It is red.", both, asked=False, waiting=False) == Said({"fire": "It is red."})


def test_words_that_belong_to_no_instruction_are_kept() -> None:
    assert hear("Hello.", (), asked=False, waiting=False) == Said({NOBODY: "Hello."})
    assert hear("", (), asked=False, waiting=False) == Said({})
