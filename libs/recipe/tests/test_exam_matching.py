"""What was said against what was due: by value, and whatever is said."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.exam.scoring.matching import match, window
from vigil_recipe.exam.scoring.utterances import Utterance
from vigil_recipe.scenarios import Due

FIRE, DOOR = "A fire has started.", "The door is open."


def fires(*turns: int) -> list[Utterance]:
    return [Utterance(turn, FIRE) for turn in turns]


def held(first: int, end: int, text: str = FIRE, asked: int = 0) -> Due:
    return Due(asked, first, end, text, repeats=True)


def test_a_condition_is_heard_at_its_onset_and_once() -> None:
    found = match([held(5, 9)], fires(5, 6, 7, 8))
    assert [(hit.turn, hit.lag) for hit in found.matches] == [(5, 0)]
    assert (found.missed, found.duplicates, found.wrong, found.false, found.said) == ((), (), (), (), 1)


def test_early_late_and_missed_onsets() -> None:
    assert [one.lag for one in match([held(5, 9)], fires(3, 4, 5)).matches] == [-2]
    assert [one.lag for one in match([held(5, 9)], fires(8)).matches] == [3]
    assert match([held(5, 9)], fires(13)).missed == (held(5, 9),)
    late_by_two = match([held(5, 6)], fires(7))
    assert [one.lag for one in late_by_two.matches] == [2], "two turns late also where the span is shorter"


def test_speaking_ahead_of_the_condition_is_not_hearing_it_early() -> None:
    found = match([held(8, 12)], fires(4, 5, 6, 7, 8, 9))
    assert [hit.turn for hit in found.matches] == [8]
    assert [utterance.turn for utterance in found.false] == [4], "one false alarm, however long it goes on"


def test_words_that_go_on_are_forgiven_for_two_turns() -> None:
    assert match([held(5, 9)], fires(5, 6, 7, 8, 9, 10)).false == ()
    assert [one.turn for one in match([held(5, 9)], fires(5, 6, 7, 8, 9, 10, 11, 12)).false] == [11]


def test_nothing_is_forgiven_once_the_instruction_was_taken_back() -> None:
    found = match([held(5, 9)], fires(5, 6, 7, 8, 9), cleared={9})
    assert [hit.turn for hit in found.matches] == [5]
    assert [utterance.turn for utterance in found.false] == [9]
    late = match([held(5, 6)], fires(6), cleared={6})
    assert (late.matches, late.missed, [one.turn for one in late.false]) == ((), (held(5, 6),), [6])


def test_an_onset_is_not_met_before_it_was_asked_for() -> None:
    found = match([held(5, 9, asked=5)], fires(4, 5))
    assert [hit.turn for hit in found.matches] == [5]
    assert [utterance.turn for utterance in found.false] == [4]


def test_speaking_again_after_three_quiet_turns_is_a_duplicate() -> None:
    assert match([held(2, 12)], fires(2, 3, 6, 7)).duplicates == ()
    assert [one.turn for one in match([held(2, 12)], fires(2, 3, 7, 8)).duplicates] == [7]


def test_two_onsets_of_one_condition() -> None:
    found = match([held(2, 5), held(10, 13)], fires(2, 3, 4, 11, 12))
    assert [(hit.due.first, hit.turn) for hit in found.matches] == [(2, 2), (10, 11)]


def test_one_cry_that_never_ends_is_not_two_onsets_heard_early() -> None:
    found = match([held(2, 4), held(12, 14)], fires(*range(2, 20)))
    assert [(hit.due.first, hit.turn) for hit in found.matches] == [(2, 2), (12, 12)]
    assert [utterance.turn for utterance in found.false] == [6, 16]


def test_numbers_are_matched_one_to_one_closest_first() -> None:
    dues = [Due(0, 3, 6, "Now."), Due(0, 8, 11, "Now."), Due(0, 13, 16, "Now.")]
    found = match(dues, [Utterance(turn, "Now.") for turn in (4, 8, 9, 19)])
    assert [(hit.due.first, hit.turn) for hit in found.matches] == [(3, 4), (8, 8)]
    assert found.missed == (dues[2],)
    assert [one.turn for one in found.duplicates] == [9]
    assert [utterance.turn for utterance in found.false] == [19]


def test_an_answer_has_to_be_the_very_words() -> None:
    due = Due(4, 4, 7, "Red.")
    found = match([due], [Utterance(3, "Red."), Utterance(4, "Blue."), Utterance(9, "Green.")])
    assert found.missed == (due,)
    assert [one.text for one in found.wrong] == ["Blue."]
    assert [utterance.text for utterance in found.false] == ["Red.", "Green."], "before the question it is no answer"


def test_an_alert_in_the_time_of_a_missed_answer_is_no_wrong_answer() -> None:
    found = match([Due(4, 4, 7, "Red."), held(4, 6)], fires(4, 5))
    assert found.wrong == ()
    assert [hit.due.text for hit in found.matches] == [FIRE]


def test_a_delegation_matches_with_its_question_only() -> None:
    due = Due(4, 4, 7, "Let me check.", "What is 2 times 3?")
    assert match([due], [Utterance(4, "Let me check.", "What is 2 times 3?")]).missed == ()
    assert match([due], [Utterance(4, "Let me check.")]).missed == (due,)


def test_what_nobody_asked_for_is_one_false_alarm_a_run() -> None:
    found = match([], [Utterance(turn, DOOR) for turn in (3, 4, 5, 12)])
    assert [utterance.turn for utterance in found.false] == [3, 12]


dues = st.builds(
    lambda asked, wait, length, text, repeats: Due(asked, asked + wait, asked + wait + length, text, "", repeats),
    st.integers(0, 20),
    st.integers(0, 10),
    st.integers(1, 6),
    st.sampled_from([FIRE, DOOR, "1.", "2."]),
    st.just(value=False),
)
said = st.lists(st.builds(Utterance, st.integers(0, 40), st.sampled_from([FIRE, DOOR, "1.", "2.", "No."])), unique=True)


@given(st.lists(dues, max_size=6), said)
def test_every_due_is_met_or_missed_and_every_utterance_counts_once(some: list[Due], heard: list[Utterance]) -> None:
    found = match(some, heard)
    assert len(found.matches) + len(found.missed) == len(some)
    assert all(hit.turn in window(hit.due) for hit in found.matches)
    assert found.said <= len(heard)
    assert len({(hit.turn, hit.due.text) for hit in found.matches}) == len(found.matches)


@given(st.lists(dues, max_size=6), said, st.integers(0, 40))
def test_silence_never_hurts_precision(some: list[Due], heard: list[Utterance], turn: int) -> None:
    less = match(some, [utterance for utterance in heard if utterance.turn != turn])
    assert len(less.matches) <= len(match(some, heard).matches)
