"""Bytes as they come, into whole samples."""

import struct
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_tts.synthesizers.pcm import MAX_HEADER_BYTES, PcmReader
from vigil_tts.synthesizers.port import SynthesizerError
from vigil_tts.testing.scripted_synthesizer import tone
from vigil_tts.testing.speech_engine import wav

SOUND = tone(0.05)


def read(reader: PcmReader, data: bytes, cuts: list[int]) -> tuple[bytes, set[int]]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    sounds = [reader.take(data[begin:end]) for begin, end in pairwise(places)]
    found = [sound for sound in sounds if sound is not None]
    assert all(len(sound.pcm) % 2 == 0 for sound in found)
    return b"".join(sound.pcm for sound in found), {sound.sample_rate_hz for sound in found}


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_however_it_is_cut_the_samples_are_the_same(cuts: list[int]) -> None:
    assert read(PcmReader(8_000), SOUND, cuts) == (SOUND, {8_000})
    assert read(PcmReader(8_000), wav(SOUND, 44_100), cuts) == (SOUND, {44_100})


def test_a_wav_file_may_hold_more_than_its_samples() -> None:
    file = wav(SOUND, 16_000)
    listed = file[:12] + b"LIST" + struct.pack("<I", 5) + b"abcde\0" + file[12:]
    assert read(PcmReader(8_000), listed, [20, 40]) == (SOUND, {16_000})


@pytest.mark.parametrize("kind", ["audio/pcm; rate=16000", 'audio/pcm;rate="16000"', "audio/L16;rate=16000;channels=1"])
def test_the_type_may_state_the_rate(kind: str) -> None:
    assert read(PcmReader(24_000, kind), SOUND, []) == (SOUND, {16_000})


@pytest.mark.parametrize(
    "kind", ["text/html; charset=utf-8", "application/json", "audio/mpeg", "audio/ogg; codecs=opus"]
)
def test_other_types_are_no_sound(kind: str) -> None:
    with pytest.raises(SynthesizerError) as caught:
        PcmReader(24_000, kind)
    assert caught.value.kind == "invalid"


@pytest.mark.parametrize("stated", ["9" * 5_000, "²", "-1", "a lot"])
def test_a_rate_that_is_no_number_is_not_stated(stated: str) -> None:
    assert read(PcmReader(8_000, "audio/pcm", {"X-Sample-Rate": stated}), SOUND, []) == (SOUND, {8_000})


@pytest.mark.parametrize("rate_hz", [0, 1_000, 96_000])
def test_a_rate_that_nobody_plays_is_refused(rate_hz: int) -> None:
    with pytest.raises(SynthesizerError, match="samples a second"):
        read(PcmReader(24_000), wav(SOUND, rate_hz or 1), [])


@pytest.mark.parametrize(
    "data", [b"RIFF\0\0\0\0AVI " + bytes(40), b"RIFF\0\0\0\0WAVEdata" + bytes(8), b"RIFF\0\0\0\0WAVE" + bytes(8_000)]
)
def test_a_file_that_is_no_wav_is_refused(data: bytes) -> None:
    reader = PcmReader(24_000)
    with pytest.raises(SynthesizerError) as caught:
        reader.take(data)
    assert caught.value.kind == "invalid"
    assert len(data) < 2 * MAX_HEADER_BYTES


def test_a_file_that_ends_in_its_head_gives_no_sound() -> None:
    assert PcmReader(24_000).take(wav(SOUND, 16_000)[:30]) is None
