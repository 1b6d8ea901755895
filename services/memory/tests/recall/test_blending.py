"""Words and meaning in one order: what is both comes first, and without a model nothing changes."""

from hypothesis import given
from hypothesis import strategies as st

from vigil_memory.recall.answer import recall
from vigil_memory.recall.blending import MOST_NEAR, NO_NEARNESS, Nearness, blended
from vigil_memory.recall.moment import Moment
from vigil_memory.recall.passages import Entry, EntryKind, passages
from vigil_memory.recall.ranking import hits

NOW = Moment(40_000_000, 1_795_932_000_000_000)
CAR, DOG, KEYS = "A red car stood at the gate.", "A dog lay on the mat.", "Someone put the keys on the table."
ENTRY = Entry("0-90000-0", EntryKind.BLOCK, 0, 90_000, f"{CAR} {DOG} {KEYS}")
SEARCHED = passages([ENTRY])


def near(**cosines: float) -> Nearness:
    """What a model would say of the car, the dog and the keys."""
    named = {"car": CAR, "dog": DOG, "keys": KEYS}
    return Nearness({named[name]: cosine for name, cosine in cosines.items()}, least=0.5)


def told(question: str, nearness: Nearness) -> list[str]:
    lines = recall(question, [ENTRY], NOW, nearness=nearness).lines
    return [line.text.removeprefix("Between 0 and 90 seconds: ") for line in lines]


def test_what_shares_no_word_with_the_question_is_found_by_its_meaning() -> None:
    question = "Which vehicle waited?"
    assert told(question, NO_NEARNESS) == []
    assert told(question, near(car=0.8, dog=0.3, keys=0.2))[0] == CAR


def test_what_is_not_near_enough_is_not_found() -> None:
    assert told("Which vehicle waited?", near(car=0.49, dog=0.3)) == []


def test_what_holds_the_words_and_the_meaning_comes_before_what_holds_one_of_them() -> None:
    found = blended("Which animal lay by the keys on the table?", SEARCHED, near(dog=0.9, keys=0.6))
    best = max(found, key=lambda hit: hit.score)
    assert best.passage.text == DOG, "its word and its meaning"
    assert {hit.passage.text for hit in found} == {DOG, KEYS}


def test_a_question_with_neither_word_nor_time_finds_nothing_however_near() -> None:
    assert told("What was there?", near(car=0.9)) == []


def test_what_happened_at_a_time_is_told_in_order_whatever_is_near() -> None:
    assert told("What happened in the first 2 minutes?", near(keys=0.9)) == [CAR, DOG, KEYS]


def test_the_newer_of_the_same_words_comes_first() -> None:
    again = Entry("90000-180000-0", EntryKind.BLOCK, 90_000, 180_000, CAR)
    lines = recall("Which vehicle waited?", [ENTRY, again], NOW, nearness=near(car=0.8)).lines
    assert [(line.from_ms, line.text.partition(": ")[2]) for line in lines if CAR in line.text] == [(90_000, CAR)]


@given(st.text(max_size=60), st.lists(st.floats(-1, 1), min_size=3, max_size=3))
def test_no_word_that_was_found_is_lost_and_few_are_found_by_meaning(question: str, cosines: list[float]) -> None:
    nearness = Nearness(dict(zip((CAR, DOG, KEYS), cosines, strict=True)), 0.5)
    by_words = hits(question, SEARCHED)
    both = blended(question, SEARCHED, nearness)
    assert {hit.passage for hit in by_words} <= {hit.passage for hit in both}
    assert sum(not hit.matched for hit in both) <= MOST_NEAR
    assert blended(question, SEARCHED, NO_NEARNESS) == by_words
