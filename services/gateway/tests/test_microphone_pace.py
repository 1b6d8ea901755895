"""How much sound a client may send, and in how many messages: by value and by property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.core.ids import SessionKey
from vigil.core.sound import chunk_bytes, length_us
from vigil_gateway.api.errors import SoundRefused
from vigil_gateway.speech.microphone import AHEAD_US, MAX_SOUND_MS, MESSAGES_S, MicrophoneSound

NOW_US = 1_767_225_600_000_000
HOUR_US = 3_600_000_000


def microphone() -> MicrophoneSound:
    return MicrophoneSound(SessionKey("demo", "s-1"))


def taken_us(sound: MicrophoneSound, message_ms: int, every_us: int, for_us: int, begin_us: int = NOW_US) -> int:
    """How much sound is taken of messages that come at such times."""
    taken, pcm = 0, bytes(chunk_bytes(message_ms))
    for at_us in range(0, for_us, every_us):
        try:
            sound.chunks(pcm, begin_us + at_us)
        except SoundRefused:
            continue
        taken += length_us(len(pcm))
    return taken


@pytest.mark.parametrize("faster", [2, 5, 50])
def test_sound_that_comes_faster_than_it_can_be_recorded_is_taken_as_fast_as_it_can(faster: int) -> None:
    minutes = 120_000_000
    taken = taken_us(microphone(), 100, 100_000 // faster, minutes)
    assert minutes <= taken <= minutes * 1.03 + AHEAD_US


def test_a_microphone_whose_clock_is_fast_by_a_hundredth_is_heard_whole_for_an_hour() -> None:
    every_us = 990_000  # for a second of sound
    messages = -(-HOUR_US // every_us)
    assert taken_us(microphone(), 1_000, every_us, HOUR_US) == messages * 1_000_000


def test_what_waited_for_the_network_comes_at_once() -> None:
    sound = microphone()
    assert taken_us(sound, 20, 20_000, 1_000_000) == 1_000_000
    later_us = NOW_US + 3_500_000
    assert taken_us(sound, 20, 1, 125, later_us) == 2_500_000


def test_small_messages_are_counted_too() -> None:
    sound, taken = microphone(), 0
    for at_us in range(0, 10_000_000, 500):
        try:
            sound.chunks(b"\0\0", NOW_US + at_us)
        except SoundRefused:
            continue
        taken += 1
    with pytest.raises(SoundRefused, match=f"more than {MESSAGES_S} messages"):
        sound.chunks(b"\0\0", NOW_US + 10_000_000 - 500)
    assert 10 * MESSAGES_S <= taken <= MESSAGES_S * (10 + AHEAD_US / 1_000_000) + 1


def test_a_clock_that_is_set_back_refuses_nothing() -> None:
    sound = microphone()
    assert taken_us(sound, 100, 100_000, 1_000_000) == 1_000_000
    assert taken_us(sound, 100, 100_000, 1_000_000, NOW_US - HOUR_US) == 1_000_000


@given(st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, MAX_SOUND_MS)), max_size=100))
def test_over_any_time_no_more_sound_is_taken_than_the_time_lasts_and_the_burst(
    messages: list[tuple[int, int]],
) -> None:
    sound, now_us, taken = microphone(), NOW_US, list[tuple[int, int]]()
    for after_us, message_ms in messages:
        now_us += after_us
        pcm = bytes(chunk_bytes(message_ms))
        try:
            sound.chunks(pcm, now_us)
        except SoundRefused:
            continue
        taken.append((now_us, length_us(len(pcm))))
    for first, (begin_us, _) in enumerate(taken):
        for last in range(first, len(taken)):
            passed_us = taken[last][0] - begin_us
            sound_us = sum(length for _, length in taken[first : last + 1])
            assert sound_us * 49 / 50 <= passed_us + AHEAD_US + len(taken)
