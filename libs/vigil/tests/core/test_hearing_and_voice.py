"""How a session is spoken to and speaks: which options go together, and how long sound is."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.errors import InvalidSpec
from vigil.core.hearing import Hearing, TurnTaking
from vigil.core.voice import SPEED, Voice


def test_a_session_neither_hears_nor_speaks_unless_it_is_asked_to() -> None:
    assert (Hearing().is_on, Hearing().hears_source, Voice().is_on) == (False, False, False)
    assert not Hearing(is_on=True).hears_source, "a microphone is one thing, the camera's sound another"
    assert Hearing(is_on=True, from_source=True).hears_source


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Hearing(from_source=True), "hearing.from_source is true and hearing.is_on is not"),
        (lambda: Hearing(turn_taking=TurnTaking.WAKE), "hearing.wake_phrase goes with"),
        (lambda: Hearing(turn_taking=TurnTaking.WAKE, wake_phrase="  "), "hearing.wake_phrase goes with"),
        (lambda: Hearing(turn_taking=TurnTaking.WAKE, wake_phrase="..."), "hearing.wake_phrase goes with"),
        (lambda: Hearing(wake_phrase="hey vigil"), "hearing.wake_phrase goes with"),
        (lambda: Hearing(turn_taking=TurnTaking.WAKE, wake_phrase="a" * 65), "one line of at most 64 characters"),
        (lambda: Hearing(turn_taking=TurnTaking.WAKE, wake_phrase="a\nb"), "one line of at most 64 characters"),
        (lambda: Hearing(language="the queen's"), 'hearing.language is "the queen\'s": give a language tag'),
        (lambda: Voice(language="x"), "voice.language is 'x': give a language tag"),
        (lambda: Voice(name="a\tb"), "voice.name is 'a\\tb': give the name of a voice"),
        (lambda: Voice(name="../../etc/passwd"), "voice.name is '../../etc/passwd'"),
        (lambda: Voice(name="/tmp/a.wav"), "voice.name is '/tmp/a.wav'"),
        (lambda: Voice(name="http://10.0.0.1/a.wav"), "voice.name is 'http://10.0.0.1/a.wav'"),
        (lambda: Voice(name="a" * 101), "of at most 100 characters"),
        (lambda: Voice(speed=0.4), "voice.speed is 0.4: give 0.5 to 2 times the usual speed"),
    ],
)
def test_what_does_not_go_together_is_refused_by_name(make: Callable[[], object], words: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        make()
    assert words in str(refused.value)


@pytest.mark.parametrize("language", ["", "en", "pt-BR", "zh-Hans-CN", "yue"])
def test_language_tags_are_taken(language: str) -> None:
    assert Hearing(language=language).language == Voice(language=language).language == language


@pytest.mark.parametrize("name", ["", "anna", "af_heart", "中文女", "en-US/Anna", "kokoro:af.heart"])
def test_names_of_voices_are_taken(name: str) -> None:
    assert Voice(name=name).name == name


@given(st.floats(SPEED.low, SPEED.high))
def test_every_speed_within_its_bounds_is_taken(speed: float) -> None:
    assert Voice(speed=speed).speed == speed
