"""One stream of sound: a detector that is told what it says, and Silero's own."""

import os
from collections.abc import Sequence

import pytest

from vigil_asr.ear import BEFORE_FRAMES, Began, Ear, EarEvent, Ended, FalseStart, Stirred
from vigil_asr.endpoint import FRAME_BYTES, EndpointRules
from vigil_asr.testing.loudness import LoudnessDetector, loud, still
from vigil_asr.testing.vowel import vowel
from vigil_asr.voice_activity import SileroDetector

START_US = 1_700_000_000_000_000
CHUNK = 640  # 20 ms


def ear(rules: EndpointRules | None = None) -> Ear:
    return Ear(LoudnessDetector(), rules or EndpointRules())


def hear(ear: Ear, *pieces: bytes, start_us: int = START_US) -> list[EarEvent]:
    """What happens when the pieces come in chunks of 20 ms."""
    pcm, events = b"".join(pieces), []
    for at in range(0, len(pcm), CHUNK):
        events += ear.hear(pcm[at : at + CHUNK], start_us + at * 1_000_000 // 32_000)
    return events


def kinds(events: Sequence[EarEvent]) -> list[type]:
    return [type(event) for event in events]


def test_an_remark_has_the_sound_before_its_first_speech() -> None:
    events = hear(ear(), still(960), loud(960), still(640))
    assert kinds(events) == [Stirred, Began, Ended]
    stirred, began, ended = events
    assert isinstance(stirred, Stirred)
    assert isinstance(began, Began)
    assert isinstance(ended, Ended)
    assert stirred.time_us == began.begin_us == START_US + 960_000
    assert ended.end_us == START_US + 1_920_000
    assert (ended.speech_ms, round(ended.certainty, 3), ended.is_cut) == (960, 0.9, False)
    sound = began.sound.read()
    assert sound == still(320) + loud(960) + still(512)
    assert began.sound.is_over
    assert began.sound.voiced_bytes == len(still(320) + loud(960))


def test_chunks_of_any_size_are_the_same_sound() -> None:
    pcm = still(320) + loud(640) + still(640)
    found = []
    for size in (FRAME_BYTES, 640, 1_000, 3_200):
        listening, events = ear(), list[EarEvent]()
        for at in range(0, len(pcm), size):
            events += listening.hear(pcm[at : at + size], START_US + at * 1_000_000 // 32_000)
        found.append([(type(event), getattr(event, "end_us", 0)) for event in events])
    assert all(events == found[0] for events in found)
    assert [kind for kind, _ in found[0]] == [Stirred, Began, Ended]


def test_a_false_start_is_told_once_and_a_click_never() -> None:
    assert kinds(hear(ear(), still(320), loud(160), still(960))) == [Stirred, FalseStart]
    assert hear(ear(), still(320), loud(32), still(960)) == []


def test_what_was_a_false_start_goes_with_the_remark_behind_it() -> None:
    events = hear(ear(), loud(160), still(256), loud(640), still(640))
    assert kinds(events) == [Stirred, FalseStart, Stirred, Began, Ended]
    began = events[3]
    assert isinstance(began, Began)
    assert began.sound.read().startswith(loud(32))


def test_who_speaks_on_goes_on_in_a_second_remark() -> None:
    events = hear(ear(EndpointRules(longest_ms=2_000)), loud(3_200), still(640))
    assert kinds(events) == [Stirred, Began, Ended, Stirred, Began, Ended]
    first, second = events[2], events[5]
    assert isinstance(first, Ended)
    assert isinstance(second, Ended)
    assert (first.is_cut, second.is_cut) == (True, False)
    assert first.speech_ms + second.speech_ms == 3_200


def test_sound_that_stops_coming_ends_what_is_said() -> None:
    listening = ear()
    assert kinds(hear(listening, still(320), loud(640))) == [Stirred, Began]
    assert listening.is_attentive
    assert kinds(listening.finish()) == [Ended]
    assert not listening.is_attentive
    assert listening.finish() == []
    assert kinds(hear(listening, loud(160))) == [Stirred]
    assert kinds(listening.finish()) == [FalseStart]


def test_a_gap_ends_what_is_said_and_small_ones_do_not() -> None:
    listening = ear()
    hear(listening, loud(640))
    assert kinds(hear(listening, loud(640), start_us=START_US + 800_000)) == []
    later = START_US + 5_000_000
    assert kinds(hear(listening, loud(640), start_us=later)) == [Ended, Stirred, Began]
    assert kinds(hear(listening, loud(640), start_us=START_US)) == [Ended, Stirred, Began], (
        "nor a clock that is set back"
    )


def test_silero_hears_a_voice_and_takes_one_thread() -> None:
    detector = SileroDetector()
    threads = len(os.listdir("/proc/self/task"))
    assert max(detector.probability(bytes(FRAME_BYTES)) for _ in range(30)) < 0.1
    voice = vowel(640)
    found = [detector.probability(voice[at : at + FRAME_BYTES]) for at in range(0, len(voice), FRAME_BYTES)]
    assert sorted(found)[len(found) // 2] > 0.8
    detector.forget()
    assert len(os.listdir("/proc/self/task")) == threads


@pytest.mark.slow
def test_eight_hours_are_heard_minute_by_minute_and_nothing_piles_up() -> None:
    listener, minute, sizes = ear(), still(30_000) + loud(960) + still(29_040), set[int]()
    begins: list[int] = []
    ends: list[int] = []
    for number in range(8 * 60):
        for at in range(0, len(minute), 3_200):  # 100 ms
            for event in listener.hear(minute[at : at + 3_200], START_US + number * 60_000_000 + at * 1_000 // 32):
                begins += [event.begin_us] if isinstance(event, Began) else []
                ends += [event.end_us] if isinstance(event, Ended) else []
        sizes.add(len(listener._before) + len(listener._stirring) + len(listener._rest))
    assert len(begins) == len(ends) == 8 * 60
    for number, (begin_us, end_us) in enumerate(zip(begins, ends, strict=True)):
        spoken_us = START_US + number * 60_000_000 + 30_000_000
        assert abs(begin_us - spoken_us) <= 32_000
        assert abs(end_us - spoken_us - 960_000) <= 32_000
    assert max(sizes) <= BEFORE_FRAMES + FRAME_BYTES
