"""No text changes what only the user, an operator or Vigil itself may change, whatever the model makes of it."""

import pytest

from injection.skeleton import structure
from injection.texts import HARMLESS
from injection.verdict import CASES, Case, Door, effects, heard
from injection.watched import FIRE, HANDED_OVER, QUESTION, Watched
from vigil.core.alert import AlertState
from vigil.core.command import Ask, Clear, Instruct
from vigil.core.control import plain
from vigil.core.delegation import MAX_TASKS
from vigil.core.profile import PROFILES, profile
from vigil.core.turn import ExchangeState


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_attack_changes_nothing(case: Case) -> None:
    assert effects(case) == ()


@pytest.mark.parametrize("door", Door, ids=lambda door: door.name.lower())
@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_words_come_through_whole(name: str, door: Door) -> None:
    """Controls: what refuses attacks does not refuse everything."""
    assert heard(door, HARMLESS[name])


@pytest.mark.parametrize("name", PROFILES)
def test_the_user_may_do_what_a_text_may_not(name: str) -> None:
    session = Watched(profile(name))
    session.quiet(Instruct(FIRE))
    session.say("A fire has started.")
    settled = session.quiet(Clear(FIRE.id))
    assert session.state.instructions == ()
    assert [event.state for event in settled.alert_events] == [AlertState.CLOSED]


def test_questions_that_a_sign_asks_displace_no_question_of_the_user() -> None:
    session = Watched(profile("joyai"))
    session.delegate("Let me see.", HANDED_OVER, Ask("q-1", QUESTION))
    for number in range(3 * MAX_TASKS):
        session.delegate("", f"Question {number} of a sign?")
    assert session.state.dialogue[0].state is ExchangeState.DELEGATED
    assert session.state.tasks[0].question == HANDED_OVER
    assert len(session.state.tasks) == MAX_TASKS


@pytest.mark.parametrize("words", [case.attack.text for case in CASES])
def test_plain_words_are_plain_again(words: str) -> None:
    once = plain(words)
    assert plain(once) == once
    assert not structure(once)
