"""Whose words are these? Sentences go to the instruction that shares most content words with them."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.attribution import NOBODY, Said, hear
from vigil.core.instruction import Instruction, Watch

FIRE = Instruction("fire", "Alert me when a fire starts.")
FALL = Instruction("fall", "Tell me if someone falls.")
DOOR = Instruction("door", "Warn me when the door is open.")
FIRE_WATCH = Instruction("fire", "Alert me when a fire starts.", Watch("fire"))
GREET = Instruction("greet", "Greet everyone who comes in.")


def attribute(spoken: str, instructions: Sequence[Instruction], *, waiting: str = "") -> Mapping[str, str]:
    """Instruction id to the words that belong to it, in a turn without a new question."""
    return hear(spoken, instructions, asked=False, waiting=waiting).words


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
        assert attribute("It is red.", order, waiting="What is it?") == newest, "a question may be what it answers"


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
    assert attribute("A fire has started.", ()) == {NOBODY: "A fire has started."}


words = st.one_of(st.sampled_from(["fire", "fallen.", "door!", "...", "open", "3.5", "!"]), st.text(max_size=6))


@given(st.lists(words, max_size=12), st.permutations((FIRE_WATCH, FALL, DOOR)), st.integers(1, 3), st.booleans())
def test_no_word_is_lost_and_whether_something_was_said_is_never_guessed(
    spoken: list[str], order: list[Instruction], count: int, asked: bool
) -> None:
    line = " ".join(" ".join(spoken).split())
    said = hear(line, order[:count], asked=asked).words
    assert set(said) <= {instruction.id for instruction in order[:count]} | ({NOBODY} if asked else set())
    assert sorted(" ".join(said.values()).split()) == sorted(line.split())
    assert bool(said) == bool(line)


def test_words_of_a_watch_in_the_turn_of_a_question_serve_both() -> None:
    said = hear("A fire has started.", (FIRE_WATCH,), asked=True)
    assert said == Said({"fire": "A fire has started."}, is_answer=True, is_prompt=True)
    assert hear("", (FIRE_WATCH,), asked=True) == Said({}, is_answer=True), "silence answers later"
    said = hear("A grey wall. A fire has started.", (FIRE_WATCH, GREET), asked=True)
    assert said == Said({"greet": "A grey wall.", "fire": "A fire has started."}, is_answer=True, is_prompt=True)


def test_words_in_the_turn_of_a_question_that_fit_no_watch_only_answer_it() -> None:
    assert hear("It is red.", (FIRE_WATCH,), asked=True) == Said({NOBODY: "It is red."}, True, is_prompt=True)
    assert hear("It is red.", (FIRE_WATCH, GREET), asked=True) == Said({"greet": "It is red."}, True, True)


@pytest.mark.parametrize(
    ("text", "is_for_the_watch"),
    [
        ("No, there is no fire.", False),
        ("I don't see a fire.", False),
        ("Nobody has started a fire", False),
        ("No, the fire is in the kitchen.", True),
        ("A fire has started and nobody is there.", True),
        ("Not only smoke: a fire has started!", True),
    ],
)
def test_a_denial_answers_the_question_and_is_no_word_of_the_watch(text: str, is_for_the_watch: bool) -> None:
    owner = "fire" if is_for_the_watch else NOBODY
    assert dict(hear(text, (FIRE_WATCH,), asked=True).words) == {owner: text}
    assert dict(hear(text, (FIRE_WATCH,), asked=False, waiting="Is there a fire?").words) == {owner: text}
    assert dict(attribute(text, (FIRE_WATCH,))) == {"fire": text}, "without a question there is nothing to decide"


def test_a_watch_that_asks_for_a_denial_hears_it_also_while_a_question_is_open() -> None:
    desk = Instruction("desk", "Tell me when nobody is at the desk.", Watch("desk"))
    assert hear("Nobody is at the desk.", (desk,), asked=True) == Said({"desk": "Nobody is at the desk."}, True, True)
    chinese = Instruction("fire", "如果着火了请提醒我", Watch("fire"))
    assert hear("厨房没有着火", (chinese,), asked=True).words == {NOBODY: "厨房没有着火"}
    assert hear("厨房着火了", (chinese,), asked=True).words == {"fire": "厨房着火了"}


def test_words_of_a_watch_answer_a_question_that_waits_only_if_they_fit_it_and_all_others_do() -> None:
    both, burns = (FIRE_WATCH, GREET), "A fire has started."
    assert hear(burns, both, asked=False, waiting="Who is there?") == Said({"fire": burns})
    assert hear(burns, both, asked=False, waiting="Is the stove on fire?") == Said({"fire": burns}, is_answer=True)
    said = hear("It is red.", both, asked=False, waiting="Which colour is it?")
    assert said == Said({"greet": "It is red."}, is_answer=True)
    said = hear(f"It is red. {burns}", both, asked=False, waiting="Which colour is it?")
    assert said == Said({"greet": "It is red.", "fire": burns}, is_answer=True)
    assert hear("It is red.", both, asked=False) == Said({"fire": "It is red."})


def test_words_that_belong_to_no_instruction_are_kept() -> None:
    assert hear("Hello.", (), asked=False) == Said({NOBODY: "Hello."})
    assert hear("", (), asked=False) == Said({})
