"""What turns sound into takes, and takes into figures, by value and property."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.machine import Machine
from bench.report import html
from bench.results import Results
from bench.settings import BenchSettings
from bench.speech.capacity import Step, is_sustained
from bench.speech.dialogue import Exchange, of_exchanges
from bench.speech.listener import Heard, Told
from bench.speech.measure import Speech, questions
from bench.speech.microphone import after_us
from bench.speech.quiet import Quiet
from bench.speech.recognition import Recognition, SetResult, Take, is_understood, of_set, spoken_between
from bench.speech.sounds import LOUDNESS, Samples, framed, in_a_room, levelled, music, noisy, pcm, resampled, voiced
from bench.speech.voices import SENTENCES
from bench.speech.words import word_error_rate, words, wrong_words
from bench.statistics import spread
from bench.tick import BENCHES
from bench.uneventful import uneventful
from vigil.contract.audio import SpokenChunk, VoiceActivity, VoiceState
from vigil.core.control import RESPONSE, SILENCE
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey
from vigil.core.prompt import QUERY_HEADER
from vigil.core.sound import SAMPLE_RATE_HZ
from vigil.testing.script import Seen, answering

some_words = st.lists(st.sampled_from(("a", "b", "c")), max_size=8)


def tone(seconds: float, pitch_hz: float = 440.0, rate_hz: int = SAMPLE_RATE_HZ) -> Samples:
    """A tone half as loud as can be."""
    return 0.5 * np.sin(2 * np.pi * pitch_hz * np.arange(round(seconds * rate_hz)) / rate_hz)


def loudness(sound: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt((sound**2).mean()))


def test_words_have_neither_case_nor_punctuation() -> None:
    assert words("Don’t stop, the Truck - it's RED!") == ("don't", "stop", "the", "truck", "it's", "red")
    assert words(" ... ' ") == ()


@pytest.mark.parametrize(
    ("said", "understood", "wrong"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a b c", "a b b c", 1),
        ("a b c", "", 3),
        ("", "a b", 2),
        ("a b c d", "b c d e", 2),
    ],
)
def test_wrong_words_are_changed_added_or_left_out(said: str, understood: str, wrong: int) -> None:
    assert wrong_words(said.split(), understood.split()) == wrong


@given(some_words, some_words)
def test_as_many_words_are_wrong_in_either_direction(said: list[str], understood: list[str]) -> None:
    wrong = wrong_words(said, understood)
    assert wrong == wrong_words(understood, said)
    assert abs(len(said) - len(understood)) <= wrong <= max(len(said), len(understood))
    assert (wrong == 0) == (said == understood)


def test_the_word_error_rate_weighs_each_word_the_same() -> None:
    assert word_error_rate([("one two three", "one two three"), ("four", "for")]) == 0.25
    with pytest.raises(ValueError, match="nothing was said"):
        word_error_rate([("", "you")])


@pytest.mark.parametrize("rate_hz", [8_000, 22_050, 24_000, 44_100])
def test_a_tone_sounds_the_same_at_another_rate(rate_hz: int) -> None:
    found, wanted = resampled(tone(1, rate_hz=rate_hz), rate_hz), tone(1)
    assert len(found) == len(wanted)
    assert np.abs(found - wanted)[500:-500].max() < 0.01


def test_what_the_rate_cannot_carry_is_left_out() -> None:
    assert loudness(resampled(tone(1, 10_000, 24_000), 24_000)) < 0.01


def test_speech_is_found_in_silence_and_brought_to_one_loudness() -> None:
    sound = framed(tone(0.5), 0.2, 0.3)
    assert voiced(sound) == (round(0.2 * SAMPLE_RATE_HZ), round(0.7 * SAMPLE_RATE_HZ))
    found = levelled(sound)
    assert len(found) == round(0.5 * SAMPLE_RATE_HZ)
    assert loudness(found) == pytest.approx(LOUDNESS)
    with pytest.raises(ValueError, match="nobody speaks"):
        voiced(np.zeros(SAMPLE_RATE_HZ))


def test_noise_is_as_much_softer_as_asked_and_the_same_for_the_same_seed() -> None:
    silence = np.zeros(SAMPLE_RATE_HZ)
    noise = noisy(silence, 10, 1)
    assert 20 * np.log10(LOUDNESS / loudness(noise)) == pytest.approx(10, abs=0.1)
    assert (noise == noisy(silence, 10, 1)).all()
    assert (noise != noisy(silence, 10, 2)).any()


def test_a_room_goes_on_sounding_after_the_speech() -> None:
    sound = framed(levelled(tone(0.5)), 0.1, 0.5)
    found, end = in_a_room(sound, 1), round(0.6 * SAMPLE_RATE_HZ)
    assert len(found) == len(sound)
    assert np.abs(found[: round(0.1 * SAMPLE_RATE_HZ)]).max() < 1e-9
    assert loudness(found[end : end + 800]) > 20 * loudness(found[-800:]) > 0


def test_music_is_as_loud_as_speech_and_no_two_seconds_are_alike() -> None:
    found = music(2, 1)
    assert len(found) == 2 * SAMPLE_RATE_HZ
    assert loudness(found) == pytest.approx(LOUDNESS)
    assert (found[:SAMPLE_RATE_HZ] != found[SAMPLE_RATE_HZ:]).any()


def test_sound_is_carried_as_whole_samples_within_their_range() -> None:
    assert np.frombuffer(pcm(np.array([0.0, 1.0, -1.0, 2.0])), "<i2").tolist() == [0, 32_767, -32_767, 32_767]


def test_speech_is_heard_between_the_silences_around_it() -> None:
    assert after_us(1_000, SAMPLE_RATE_HZ) == 1_001_000
    assert spoken_between(0, framed(tone(2), 0.3, 0.9)) == (300_000, 2_300_000)


KEY = SessionKey("bench", "s")


def heard(states: list[tuple[int, VoiceState]], finals: list[int]) -> Heard:
    """At these times."""
    found = Heard()
    found.activities = [(at_us, VoiceActivity(KEY, state, at_us, Origin.MICROPHONE, "mic")) for at_us, state in states]
    found.finals = [Told(at_us, {"text": "words", "became": "query"}) for at_us in finals]
    return found


STARTED, STOPPED = VoiceState.STARTED, VoiceState.STOPPED


@pytest.mark.parametrize(
    ("states", "finals", "expected"),
    [
        ([], [], False),
        ([(20, STARTED)], [], False),
        ([(20, STARTED), (50, STOPPED)], [], False),
        ([(20, STARTED), (50, STOPPED)], [51], True),
        ([(20, STARTED), (30, STOPPED)], [31], False),  # before the end of speech: the rest is still to come
        ([(20, STARTED), (30, STOPPED), (35, STARTED)], [41], False),
        ([(20, STARTED), (30, STOPPED), (35, STARTED), (50, STOPPED)], [41], False),
        ([(20, STARTED), (30, STOPPED), (35, STARTED), (50, STOPPED)], [41, 51], True),
    ],
)
def test_a_sentence_is_understood_when_all_its_remarks_are(
    states: list[tuple[int, VoiceState]], finals: list[int], expected: bool
) -> None:
    assert is_understood(heard(states, finals), 40) is expected


def test_what_was_told_before_is_not_of_this_sentence() -> None:
    found = heard([(20, STARTED), (50, STOPPED)], [51])
    mark = found.mark()
    assert found.since(mark) == Heard()
    found.finals.append(Told(60, {"text": "more"}))
    assert [final.at_us for final in found.since(mark).finals] == [60]


def test_even_the_fewest_sentences_hold_a_question() -> None:
    fewest = next(limit.ge for limit in BenchSettings.model_fields["speech_sentences"].metadata if hasattr(limit, "ge"))
    spoken = {"voice": [np.zeros(1)] * fewest}
    assert len(questions(spoken, SENTENCES[:fewest])["voice"]) == 1


def test_nothing_happens_before_the_camera_and_yet_no_two_pictures_are_the_same() -> None:
    pictures = uneventful(32, (160, 96))
    assert len(set(pictures)) == 32
    assert pictures == uneventful(32, (160, 96))
    assert {Image.open(BytesIO(picture)).size for picture in pictures} == {(160, 96)}


def test_an_answer_is_the_first_that_begins_after_the_question() -> None:
    found = heard([], [])
    started = {"event": "started", "kind": "answer"}
    found.speech = [
        Told(10, {**started, "utterance": "early"}),
        Told(11, {**started, "utterance": "other", "kind": "ordinary"}),
        Told(30, {**started, "utterance": "late"}),
    ]
    found.first_us = {"early": 12, "other": 25}
    assert found.answer_since(20) is None
    found.first_us["late"] = 31
    assert found.answer_since(20) == 31


def test_sound_is_played_when_it_came_or_after_what_came_before() -> None:
    found, sound = Heard(), SpokenChunk(KEY, "u", 0, "Words.", 0, 16_000, bytes(3_200))
    found.take(1_000_000, sound)
    found.take(1_050_000, sound)
    assert (found.first_us, found.played_us, found.spoken_us) == ({"u": 1_000_000}, {"u": 1_200_000}, 200_000)
    found.take(3_000_000, replace(sound, pcm=b"", is_last=True))
    assert (found.played_us, found.ended) == ({"u": 1_200_000}, {"u"})


def test_a_player_pauses_when_it_is_told_of_a_voice_or_has_played_all() -> None:
    states = [(100, VoiceState.STARTED), (400, VoiceState.STOPPED), (500, VoiceState.STARTED)]
    found = replace(heard(states, []), played_us={"long": 900, "short": 450})
    assert found.silent_after(200, "long") == 500
    assert found.silent_after(200, "short") == 450
    assert found.silent_after(600, "long") == 900
    assert found.silent_after(600, "unknown") is None


def test_only_the_users_words_count_as_an_interruption() -> None:
    found = heard([], [])
    told = {"event": "interrupted", "cause": "user_spoke"}
    found.speech = [Told(1, {**told, "utterance": "a"}), Told(2, {**told, "utterance": "b", "cause": "critical_alert"})]
    assert [found.is_interrupted(utterance) for utterance in ("a", "b", "c")] == [True, False, False]


TAKES = (
    Take("one", "stop the car", "Stop the car.", ("query",), 0.5, 0.6),
    Take("one", "is it on", "Is it?", ("query", "noise"), 0.7, 0.8),
    Take("two", "what now", "", (), None, None),
)


def test_a_set_tells_what_was_not_understood() -> None:
    found = of_set(TAKES)
    assert (found.sentences, found.unheard, found.word_error_rate) == (3, 1, 3 / 8)
    assert (found.by_voice, found.became) == ({"one": round(1 / 6, 4), "two": 1.0}, {"query": 2, "noise": 1})
    assert found.slips == (("one", "is it on", "Is it?"), ("two", "what now", ""))
    assert (found.final_s.count, found.final_s.max) == (2, 0.8)
    with pytest.raises(RuntimeError, match="not one sentence"):
        of_set(TAKES[2:])


def test_exchanges_that_lack_something_are_counted() -> None:
    exchanges = [Exchange(0.1, 0.2, 0.3, 1.0), Exchange(0.2, None, None, 1.5), Exchange(0.3, 0.25, 0.4, None)]
    found = of_exchanges(exchanges, 0.1)
    assert (found.exchanges, found.uninterrupted, found.unanswered) == (3, 1, 1)
    spreads = (found.first_audio_s, found.barge_in_s, found.played_out_s, found.answer_s)
    assert [(times.p50, times.count) for times in spreads if times] == [(0.2, 3), (0.2, 2), (0.3, 2), (1.0, 2)]
    assert of_exchanges([Exchange(None, None, None, None)], 0.1).answer_s is None


def test_a_step_is_sustained_in_time_and_when_nearly_all_is_heard() -> None:
    step = Step(4, 40, 2, spread([1.0]), 0.5)
    assert is_sustained(step, 1.0)
    assert not is_sustained(step, 0.9)
    assert not is_sustained(replace(step, late=3), 1.0)
    assert not is_sustained(replace(step, final_s=None), 1.0)


def test_the_engine_answers_each_question_in_other_words_and_is_silent_else() -> None:
    script = answering()
    asked = Seen(0, 0, {"messages": [{"role": "user", "content": f"{QUERY_HEADER}\nWho is it?"}]}, (), {})
    quiet = Seen(1, 0, {"messages": [{"role": "user", "content": "a picture"}]}, (), {})
    replies = [script(seen).text for seen in (asked, quiet, asked)]
    assert replies[1] == SILENCE
    assert replies[0].startswith(RESPONSE)
    assert replies[2].startswith(RESPONSE)
    assert replies[0] != replies[2]


def speech() -> Speech:
    """A run whose figures are known."""
    clean: SetResult = of_set(TAKES)
    talk = of_exchanges([Exchange(0.1, 0.2, 0.3, 1.0)], 0.05)
    invented = Quiet("music", "open", 30, 2, 3, 1, {"query": 2})
    television = replace(invented, sound="television", invented=7)
    steps = (Step(2, 8, 0, spread([0.6]), 0.2), Step(4, 16, 0, spread([1.0]), 0.4), Step(8, 32, 0, spread([2.0]), 0.8))
    return Speech(("one", "two"), Recognition({"clean": clean}, 0.1), talk, (invented, television), steps, 1.2)


def test_the_figures_of_speech_and_their_report() -> None:
    found = Results(Machine(2, "cpu", 1.0, "Linux", 0.0), {}, speech=speech())
    summary = {name: value for name, value in found.summary().items() if value is not None}
    assert summary == {
        "wer_clean": 0.375,
        "final_p95_s": 0.8,
        "first_audio_p95_s": 0.1,
        "answer_p95_s": 1.0,
        "barge_in_p95_ms": 200.0,
        "invented_queries": 2,  # an open microphone beside a television hears it
        "sessions_heard": 4,
    }
    assert {name for name, is_met in found.met().items() if not is_met} == {"wer_clean", "invented_queries"}
    page = html(found)
    assert "Listening at once: 4 sessions" in page
    assert "what now" in page


def test_speech_is_a_benchmark_of_its_own_with_steps_that_ascend() -> None:
    assert [part.value for part in BENCHES["speech"]] == ["speech"]
    with pytest.raises(ValueError, match="ascending"):
        BenchSettings(speech_steps=(4, 2))
