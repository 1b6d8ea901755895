"""What becomes of what was said."""

import time
from dataclasses import replace

import pytest

from vigil.core.hearing import Became, Hearing, TurnTaking
from vigil_asr.verdict import Remark, Verdict, is_echo, judged, without_phrase

OPEN = Hearing(is_on=True)
WAKE = Hearing(is_on=True, turn_taking=TurnTaking.WAKE, wake_phrase="Hey Vigil")
PUSH = Hearing(is_on=True, turn_taking=TurnTaking.PUSH)


def said(text: str, certainty: float = 0.95, speech_ms: int = 1_500, confidence: float | None = 0.9) -> Remark:
    return Remark(text, certainty, speech_ms, confidence)


def test_a_sentence_is_a_question() -> None:
    assert judged(said(" Is anybody at the door? "), OPEN) == Verdict(Became.QUERY, "Is anybody at the door?")


@pytest.mark.parametrize("text", ["", " . ", "[Music]", "(upbeat music)", "*sighs*", "♪ la la ♪", "[BLANK_AUDIO]"])
def test_no_words_are_noise(text: str) -> None:
    assert judged(said(text), OPEN).became is Became.NOISE


def test_what_is_described_beside_words_is_left_out() -> None:
    assert judged(said("[door slams] Who was that?"), OPEN) == Verdict(Became.QUERY, "Who was that?")


def test_what_hardly_was_speech_is_noise() -> None:
    assert judged(said("Turn the light off.", certainty=0.55), OPEN).became is Became.NOISE


def test_what_the_engine_hardly_believes_is_noise() -> None:
    uncertain = said("Turn the light off.", confidence=0.2)
    assert judged(uncertain, OPEN, least_confidence=0.35).became is Became.NOISE
    assert judged(said("Turn it off.", confidence=None), OPEN, least_confidence=0.35).became is Became.QUERY


@pytest.mark.parametrize("text", ["Thank you.", "you", "Thanks for watching!", "Bye.", "Subtitles by the community"])
def test_words_that_recognizers_make_up_need_clear_speech(text: str) -> None:
    assert judged(said(text, certainty=0.7), OPEN).became is Became.FILLER
    assert judged(said(text, speech_ms=260), OPEN).became is Became.FILLER
    assert judged(said(text), OPEN).became is Became.QUERY


@pytest.mark.parametrize("text", ["Uh", "Hmm.", "um, uh"])
def test_hesitation_is_never_a_question(text: str) -> None:
    assert judged(said(text), OPEN).became is Became.FILLER


SPOKEN = ("There is smoke in the kitchen.", "Please stop the oven.")


@pytest.mark.parametrize(
    ("text", "is_own"),
    [
        ("There is smoke in the kitchen", True),
        ("smoke in the kitchen please stop the oven", True),
        ("there is smoke and the kitchen", True),
        ("Is the smoke still there?", False),
        ("Stop.", False),
        ("What did you say about the kitchen?", False),
    ],
)
def test_its_own_words_are_an_echo(text: str, is_own: bool) -> None:
    expected = Became.ECHO if is_own else Became.QUERY
    assert judged(said(text), OPEN, SPOKEN).became is expected
    assert judged(said(text), OPEN).became is Became.QUERY, "nothing is an echo of silence"


def test_an_engine_that_repeats_holds_nobody_up() -> None:
    begun = time.process_time()
    assert is_echo(["a", "b"] * 1_000, ["a b " * 60] * 64)
    assert time.process_time() - begun < 0.5, "sessions share a thread: meanwhile none of them hears"


def test_one_word_is_an_echo_of_one_word() -> None:
    assert is_echo(["fire"], ["Fire!"])
    assert not is_echo(["fire"], ["There is a fire!"])


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Hey Vigil, is anybody there?", "Is anybody there?"),
        ("hey, vigil... Is anybody there?", "Is anybody there?"),
        ("Hey Vigil", ""),
        ("Hey Virgil, is anybody there?", ""),
        ("I said hey Vigil, is anybody there?", ""),
        ("", ""),
    ],
)
def test_the_wake_phrase_begins_a_question_and_is_no_part_of_it(text: str, question: str) -> None:
    assert without_phrase(text, "Hey Vigil") == question
    if question:
        assert judged(said(text), WAKE) == Verdict(Became.QUERY, question)
    elif text:
        assert judged(said(text), WAKE) == Verdict(Became.NOT_ADDRESSED, text)


def test_with_a_button_only_what_was_said_while_it_was_held_is_a_question() -> None:
    held = Remark("Is anybody there?", 0.95, 1_500, 0.9, is_addressed=True)
    assert judged(held, PUSH).became is Became.QUERY
    assert judged(said("Is anybody there?"), PUSH).became is Became.NOT_ADDRESSED


@pytest.mark.parametrize("hearing", [OPEN, WAKE, PUSH])
def test_who_may_add_watches_gets_one_by_asking_to_be_told(hearing: Hearing) -> None:
    text = "Hey Vigil, alert me when a fire starts." if hearing is WAKE else "Alert me when a fire starts."
    remark = Remark(text, 0.95, 1_500, 0.9, is_addressed=True)
    assert judged(replace(remark, may_watch=True), hearing) == Verdict(Became.WATCH, "Alert me when a fire starts.")
    assert judged(remark, hearing) == Verdict(Became.QUERY, "Alert me when a fire starts.")


def test_its_own_words_are_no_watch() -> None:
    own = replace(said("Alert me when a fire starts."), may_watch=True)
    assert judged(own, OPEN, ("I alert you when a fire starts.", "Alert me when a fire starts.")).became is Became.ECHO
