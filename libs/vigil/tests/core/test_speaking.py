"""The speaking rule: one voice, no backlog, and a user who is never talked over."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core import speaking
from vigil.core.speaking import Step
from vigil.core.speech import (
    MAX_AGE_US,
    VERDICT_US,
    VOICE_US,
    Dropped,
    Effect,
    Ended,
    Pause,
    Resume,
    Speak,
    Speaking,
    Stopped,
    Words,
)
from vigil.core.voice import SpeechKind

SECOND_US = 1_000_000


def words(name: str, kind: SpeechKind = SpeechKind.ORDINARY, created_s: float = 0, turn: int = -1) -> Words:
    return Words(name, f"The words of {name}.", kind, round(created_s * SECOND_US), turn)


def answer(name: str, created_s: float = 0, turn: int = -1) -> Words:
    return words(name, SpeechKind.ANSWER, created_s, turn)


def alert(name: str, created_s: float = 0, turn: int = -1) -> Words:
    return words(name, SpeechKind.CRITICAL_ALERT, created_s, turn)


def told(effect: Effect) -> str:
    cause = f" ({effect.cause})" if isinstance(effect, Stopped | Dropped) else ""
    return f"{type(effect).__name__} {effect.words.id}{cause}"


@dataclass
class Voice:
    """Drives the rule and shows each step's effects in words."""

    state: Speaking = field(default_factory=Speaking)

    def does(self, step: Step) -> list[str]:
        self.state, effects = step
        return [told(effect) for effect in effects]

    def hears(self, offered: Words, at_s: float = 0) -> list[str]:
        return self.does(speaking.offered(self.state, offered, round(at_s * SECOND_US)))

    def at(self, event: Callable[[Speaking, int], Step], at_s: float = 0) -> list[str]:
        return self.does(event(self.state, round(at_s * SECOND_US)))


@pytest.fixture
def voice() -> Voice:
    return Voice()


def test_what_the_model_says_is_spoken_and_what_it_says_meanwhile_is_text_only(voice: Voice) -> None:
    assert voice.hears(words("one")) == ["Speak one"]
    assert voice.hears(words("two", created_s=1), 1) == ["Dropped two (speaking)"]
    assert voice.hears(words("three", created_s=2), 2) == ["Dropped three (speaking)"]
    assert voice.at(speaking.finished, 3) == ["Ended one"]
    assert voice.hears(words("four", created_s=3), 3) == ["Speak four"]


def test_an_announcement_waits_as_an_answer_does_and_outlives_a_question(voice: Voice) -> None:
    voice.hears(words("one"))
    assert voice.hears(words("leave", SpeechKind.ANNOUNCEMENT, created_s=1), 1) == []
    assert voice.at(speaking.user_started, 2) == ["Pause one"]
    assert voice.at(speaking.user_said, 3) == ["Stopped one (user_spoke)", "Speak leave"]
    assert voice.hears(alert("fire", created_s=3), 3) == ["Stopped leave (critical_alert)", "Speak fire"]


def test_one_answer_waits_and_a_newer_one_takes_its_place(voice: Voice) -> None:
    voice.hears(words("one"))
    assert voice.hears(answer("two")) == []
    assert voice.hears(answer("three")) == ["Dropped two (queue_full)"]
    assert voice.at(speaking.finished, 2) == ["Ended one", "Speak three"]


def test_a_critical_alert_interrupts(voice: Voice) -> None:
    voice.hears(answer("one"))
    voice.hears(answer("two"))
    assert voice.hears(alert("fire")) == ["Stopped one (critical_alert)", "Speak fire"]
    assert voice.at(speaking.finished, 2) == ["Ended fire", "Speak two"]


def test_a_second_critical_alert_waits_for_the_first_in_front_of_answers(voice: Voice) -> None:
    voice.hears(alert("fire"))
    assert voice.hears(answer("answer")) == []
    assert voice.hears(alert("fall")) == ["Dropped answer (queue_full)"]
    assert voice.hears(answer("later")) == ["Dropped later (queue_full)"]
    assert voice.at(speaking.finished, 1) == ["Ended fire", "Speak fall"]


@pytest.mark.parametrize("kind", SpeechKind)
def test_nothing_old_is_begun(voice: Voice, kind: SpeechKind) -> None:
    assert voice.hears(words("fresh", kind), MAX_AGE_US / SECOND_US) == ["Speak fresh"]
    assert Voice().hears(words("old", kind), MAX_AGE_US / SECOND_US + 0.1) == ["Dropped old (too_old)"]


def test_an_answer_that_has_waited_for_too_long_is_text_only(voice: Voice) -> None:
    voice.hears(words("long"))
    voice.hears(answer("answer", created_s=1), 1)
    assert voice.at(speaking.finished, 6.1) == ["Ended long", "Dropped answer (too_old)"]


def test_sound_that_comes_too_late_is_not_played(voice: Voice) -> None:
    voice.hears(words("one", turn=4))
    assert voice.at(speaking.late, 5.1) == ["Dropped one (too_old)"]
    assert voice.hears(words("two", created_s=5.1), 5.1) == ["Speak two"]


@pytest.mark.parametrize(("was_heard", "end"), [(True, "Stopped one (engine)"), (False, "Dropped one (engine)")])
def test_an_engine_that_fails_leaves_the_voice_free(voice: Voice, was_heard: bool, end: str) -> None:
    voice.hears(words("one"))
    voice.hears(answer("two"))
    assert voice.does(speaking.failed(voice.state, 1, was_heard=was_heard)) == [end, "Speak two"]


def test_an_alert_of_a_turn_whose_words_gave_no_sound_is_tried(voice: Voice) -> None:
    voice.hears(words("one", turn=7))
    voice.does(speaking.failed(voice.state, 1, was_heard=False))
    assert voice.hears(alert("fire", turn=7)) == ["Speak fire"]


class TestUser:
    """A user who speaks himself."""

    def test_his_words_end_what_he_interrupts(self, voice: Voice) -> None:
        voice.hears(words("one"))
        assert voice.at(speaking.user_started, 1) == ["Pause one"]
        assert voice.at(speaking.user_stopped, 2) == []
        assert voice.at(speaking.user_said, 2.4) == ["Stopped one (user_spoke)"]
        assert voice.hears(answer("two", created_s=3), 3) == ["Speak two"]

    @pytest.mark.parametrize("has_stopped", [True, False])
    def test_a_false_start_lets_the_voice_go_on(self, voice: Voice, has_stopped: bool) -> None:
        voice.hears(words("one"))
        voice.at(speaking.user_started, 1)
        if has_stopped:
            voice.at(speaking.user_stopped, 1.5)
        assert voice.at(speaking.false_start, 2) == ["Resume one"]
        assert voice.at(speaking.user_started, 3) == ["Pause one"]

    def test_without_a_verdict_what_he_interrupted_ends(self, voice: Voice) -> None:
        voice.hears(words("one"))
        voice.at(speaking.user_started, 1)
        voice.at(speaking.user_stopped, 2)
        assert voice.state.due_us == 2 * SECOND_US + VERDICT_US
        assert voice.at(speaking.waited, 3.9) == []
        assert voice.at(speaking.waited, 4) == ["Stopped one (user_spoke)"]
        assert voice.state.due_us is None

    def test_the_model_does_not_talk_over_him_but_answers_when_he_stops(self, voice: Voice) -> None:
        voice.at(speaking.user_started, 1)
        assert voice.hears(words("one", created_s=1), 1) == ["Dropped one (user_spoke)"]
        assert voice.hears(answer("two", created_s=1), 1) == []
        assert voice.at(speaking.user_stopped, 2) == ["Speak two"]

    def test_an_answer_to_an_earlier_question_is_dropped_when_he_asks_another(self, voice: Voice) -> None:
        voice.hears(words("one"))
        voice.hears(answer("two"))
        voice.at(speaking.user_started, 1)
        assert voice.at(speaking.user_said, 2) == ["Stopped one (user_spoke)", "Dropped two (user_spoke)"]

    def test_an_alert_is_spoken_over_him_and_waits_for_none(self, voice: Voice) -> None:
        voice.at(speaking.user_started, 1)
        assert voice.hears(alert("fire", created_s=1), 1) == ["Speak fire"]
        assert voice.at(speaking.user_started, 1.5) == []  # he goes on
        assert voice.at(speaking.user_said, 2) == []
        assert voice.at(speaking.user_started, 3) == ["Pause fire"]

    def test_an_alert_takes_the_place_of_what_has_paused(self, voice: Voice) -> None:
        voice.hears(words("one"))
        voice.at(speaking.user_started, 1)
        assert voice.hears(alert("fire", created_s=1), 1) == ["Stopped one (critical_alert)", "Speak fire"]
        assert voice.at(speaking.false_start, 2) == []

    def test_who_is_not_heard_of_any_more_does_not_silence_the_session(self, voice: Voice) -> None:
        voice.at(speaking.user_started, 1)
        assert voice.state.due_us == SECOND_US + VOICE_US
        assert voice.at(speaking.waited, 31) == []
        assert voice.hears(words("one", created_s=31), 31) == ["Speak one"]


class TestOneTurn:
    """An utterance and an alert that tell of one turn's words."""

    def test_are_one_voice_whichever_comes_first(self, voice: Voice) -> None:
        voice.hears(words("said", turn=3))
        assert voice.hears(alert("fire", turn=3)) == []
        assert voice.hears(alert("fall", turn=4)) == []  # what is spoken is as urgent as an alert now
        other = Voice()
        other.hears(alert("fire", turn=3))
        assert other.hears(words("said", turn=3)) == []

    def test_the_alert_is_spoken_where_the_utterance_was_not(self, voice: Voice) -> None:
        voice.hears(words("one"))
        assert voice.hears(words("said", turn=3)) == ["Dropped said (speaking)"]
        assert voice.hears(alert("fire", turn=3)) == ["Stopped one (critical_alert)", "Speak fire"]

    def test_the_alert_takes_the_place_of_the_answer_that_waits(self, voice: Voice) -> None:
        voice.hears(words("one"))
        voice.hears(answer("said", turn=3))
        assert voice.hears(words("again", turn=3)) == ["Dropped again (speaking)"]
        assert voice.hears(alert("fire", turn=3)) == ["Stopped one (critical_alert)", "Speak fire"]
        assert voice.at(speaking.finished, 1) == ["Ended fire"]

    def test_the_alert_goes_on_where_the_utterance_has_paused(self, voice: Voice) -> None:
        voice.hears(words("said", turn=3))
        voice.at(speaking.user_started, 1)
        assert voice.hears(alert("fire", turn=3), 1) == ["Resume said"]


def test_the_end_of_the_session_stops_everything(voice: Voice) -> None:
    voice.hears(words("one"))
    voice.hears(answer("two"))
    assert voice.does(speaking.over(voice.state)) == ["Stopped one (session_over)", "Dropped two (session_over)"]
    assert voice.state.spoken is voice.state.waiting is None


@pytest.mark.parametrize(
    "event", [speaking.finished, speaking.late, speaking.user_stopped, speaking.user_said, speaking.false_start]
)
def test_a_silent_voice_has_nothing_to_end(voice: Voice, event: Callable[[Speaking, int], Step]) -> None:
    assert voice.at(event, 1) == []
    assert voice.does(speaking.failed(voice.state, 1, was_heard=True)) == []


EVENTS: dict[str, Callable[[Speaking, int], Step]] = {
    "finished": speaking.finished,
    "failed": lambda state, now_us: speaking.failed(state, now_us, was_heard=True),
    "late": speaking.late,
    "user_started": speaking.user_started,
    "user_stopped": speaking.user_stopped,
    "user_said": speaking.user_said,
    "false_start": speaking.false_start,
    "waited": speaking.waited,
}
HAPPENINGS = st.lists(
    st.tuples(
        st.integers(0, 3_000_000),  # time that goes by
        st.one_of(
            st.sampled_from(sorted(EVENTS)),
            st.tuples(st.sampled_from(SpeechKind), st.integers(0, 7_000_000), st.integers(-1, 4)),
        ),
    ),
    max_size=40,
)


@dataclass
class Heard:
    """Follows the effects and checks each against those before."""

    playing: str = ""
    is_paused: bool = False
    ends: dict[str, int] = field(default_factory=dict)

    def take(self, effect: Effect, now_us: int) -> None:
        name = effect.words.id
        match effect:
            case Speak(begun):
                assert not self.playing, "one voice at a time"
                assert now_us - begun.created_us <= MAX_AGE_US, "nothing old is begun"
                self.playing = name
            case Pause():
                assert (self.playing, self.is_paused) == (name, False)
                self.is_paused = True
            case Resume():
                assert (self.playing, self.is_paused) == (name, True)
                self.is_paused = False
            case Ended() | Stopped():
                assert self.playing == name
                self.playing, self.is_paused = "", False
                self.ends[name] = self.ends.get(name, 0) + 1
            case Dropped():
                if self.playing == name:  # no sound of it came
                    self.playing, self.is_paused = "", False
                self.ends[name] = self.ends.get(name, 0) + 1


@given(HAPPENINGS)
def test_whatever_happens_there_is_one_voice_and_no_backlog(
    happenings: list[tuple[int, str | tuple[SpeechKind, int, int]]],
) -> None:
    state, heard, now_us, offered, passed_over = Speaking(), Heard(), 10 * SECOND_US, 0, 0
    for number, (later_us, happening) in enumerate(happenings):
        now_us += later_us
        if isinstance(happening, str):
            before = state
            state, effects = EVENTS[happening](state, now_us)
        else:
            kind, age_us, turn = happening
            said = Words(f"w{number}", "Words.", kind, now_us - age_us, turn)
            before = state
            state, effects = speaking.offered(state, said, now_us)
            offered += 1
            passed_over += _is_passed_over(before, state, effects, said)
            _check_priority(before, state, effects, said, now_us)
        for effect in effects:
            heard.take(effect, now_us)
        assert heard.playing == (state.spoken.id if state.spoken else "")
        assert heard.is_paused == state.is_paused
        assert state.waiting is None or state.waiting.kind is not SpeechKind.ORDINARY
        assert len(state.turns) <= speaking.MAX_TURNS
        assert state.spoken or not state.is_paused
    kept = (state.spoken is not None) + (state.waiting is not None)
    assert set(heard.ends.values()) <= {1}
    assert len(heard.ends) + kept + passed_over == offered


def _is_passed_over(before: Speaking, after: Speaking, effects: tuple[Effect, ...], said: Words) -> bool:
    """Whether the words, or those of the same turn that waited, came to no end of their own."""
    if said.turn < 0:
        return False
    is_known = said.turn in before.turns
    waited = before.waiting is not None and before.waiting.turn == said.turn
    was_refused = any(isinstance(effect, Dropped) and effect.words == said for effect in effects)
    return is_known or (waited and not was_refused)


def _check_priority(before: Speaking, after: Speaking, effects: tuple[Effect, ...], said: Words, now_us: int) -> None:
    if not said.is_critical or said.is_old(now_us) or said.turn in before.turns:
        return
    is_free = before.spoken is None or before.is_paused or not before.spoken.is_critical
    assert after.spoken == said if is_free else after.waiting == said


@given(HAPPENINGS)
def test_a_voice_that_nobody_disturbs_any_more_comes_to_rest(
    happenings: list[tuple[int, str | tuple[SpeechKind, int, int]]],
) -> None:
    state, now_us = Speaking(), 10 * SECOND_US
    for number, (later_us, happening) in enumerate(happenings):
        now_us += later_us
        if isinstance(happening, str):
            state, _ = EVENTS[happening](state, now_us)
        else:
            state, _ = speaking.offered(state, Words(f"w{number}", "Words.", happening[0], now_us), now_us)
    for _ in range(4):  # the user falls silent for good, then what is spoken ends, then what waited
        if state.due_us is not None:
            now_us = max(now_us, state.due_us)
            state, _ = speaking.waited(state, now_us)
        else:
            state, _ = speaking.finished(state, now_us)
    assert replace(state, turns=()) == Speaking()
