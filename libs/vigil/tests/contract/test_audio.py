"""Sound, spoken words and voice activity on the bus: they read back as written, and nothing else is read."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract.audio import (
    MAX_SPOKEN_BYTES,
    SPOKEN_RATES_HZ,
    AudioChunk,
    SpokenChunk,
    SpokenWord,
    VoiceActivity,
    VoiceState,
    decode_activity,
    decode_audio,
    decode_spoken,
    encode_activity,
    encode_audio,
    encode_spoken,
)
from vigil.contract.errors import InvalidMessage
from vigil.core.errors import InvalidToken
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey
from vigil.v1 import audio_pb2 as pb

KEY = SessionKey("demo", "s-1")
CHUNK = AudioChunk(KEY, Origin.MICROPHONE, "m-1", 7, 1_767_225_600_000_000, bytes(640), is_addressed=True)
SPOKEN = SpokenChunk(
    KEY,
    "s-1.utterance.0.7",
    2,
    "A fire!",
    6,
    24_000,
    bytes(4_800),
    (SpokenWord(6, 7, 0, 40), SpokenWord(8, 12, 60, 90)),
)
ACTIVITY = VoiceActivity(KEY, VoiceState.FALSE_START, 1_767_225_600_000_000, Origin.SOURCE, "t-1")


@given(
    origin=st.sampled_from(Origin),
    sequence=st.integers(0, 2**63),
    samples=st.integers(1, 1_600),
    is_addressed=st.booleans(),
)
def test_sound_reads_back_as_it_was_written(origin: Origin, sequence: int, samples: int, is_addressed: bool) -> None:
    chunk = AudioChunk(KEY, origin, "t-1", sequence, 1, bytes(samples * 2), is_addressed)
    assert decode_audio(encode_audio(chunk)) == chunk
    assert chunk.duration_ms == samples / 16


@given(rate=st.sampled_from(SPOKEN_RATES_HZ), is_last=st.booleans())
def test_spoken_sound_reads_back_as_it_was_written(rate: int, is_last: bool) -> None:
    chunk = replace(SPOKEN, sample_rate_hz=rate, is_last=is_last)
    assert decode_spoken(encode_spoken(chunk)) == chunk
    assert SPOKEN.duration_ms == 100


def test_only_a_last_spoken_chunk_may_be_without_sound() -> None:
    ended = replace(SPOKEN, pcm=b"", words=(), is_last=True)
    assert decode_spoken(encode_spoken(ended)) == ended
    with pytest.raises(InvalidMessage, match="0 bytes of sound"):
        decode_spoken(encode_spoken(replace(ended, is_last=False)))


@pytest.mark.parametrize("state", list(VoiceState))
def test_voice_activity_reads_back_as_it_was_written(state: VoiceState) -> None:
    activity = replace(ACTIVITY, state=state)
    assert decode_activity(encode_activity(activity)) == activity
    assert [state.label for state in VoiceState] == ["started", "stopped", "false_start"]


def changed(message: pb.AudioChunk | pb.SpokenChunk | pb.VoiceActivity, **fields: object) -> bytes:
    for name, value in fields.items():
        setattr(message, name, value)
    return message.SerializeToString()


def audio(**fields: object) -> bytes:
    return changed(pb.AudioChunk.FromString(encode_audio(CHUNK)), **fields)


def spoken(**fields: object) -> bytes:
    return changed(pb.SpokenChunk.FromString(encode_spoken(SPOKEN)), **fields)


def activity(**fields: object) -> bytes:
    return changed(pb.VoiceActivity.FromString(encode_activity(ACTIVITY)), **fields)


@pytest.mark.parametrize(
    ("decode", "data", "words"),
    [
        (decode_audio, b"\xff", "not an AudioChunk"),
        (decode_audio, audio(sample_rate_hz=48_000), "at 48000 Hz: it must be at 16000"),
        (decode_audio, audio(pcm=b""), "0 bytes of sound"),
        (decode_audio, audio(pcm=bytes(3)), "3 bytes of sound: give whole samples"),
        (decode_audio, audio(pcm=bytes(3_202)), "3,202 bytes of sound: give whole samples of 2 bytes, at most 3,200"),
        (decode_audio, audio(origin=pb.AUDIO_ORIGIN_UNSPECIFIED), "neither"),
        (decode_audio, audio(tenant="a.b"), "cannot be"),
        (decode_audio, audio(stream=""), "cannot be"),
        (decode_audio, audio(capture_time_us=2**62), "has no date"),
        (decode_audio, audio(capture_time_us=-1), "has no date"),
        (decode_spoken, b"\xff", "not a SpokenChunk"),
        (decode_spoken, spoken(sample_rate_hz=1), "at 1 Hz"),
        (decode_spoken, spoken(pcm=bytes(MAX_SPOKEN_BYTES + 2)), "bytes of sound"),
        (decode_spoken, spoken(session=""), "cannot be"),
        (decode_activity, b"\xff", "not a VoiceActivity"),
        (decode_activity, activity(state=pb.VOICE_STATE_UNSPECIFIED), "cannot be"),
        (decode_activity, activity(origin=pb.AUDIO_ORIGIN_UNSPECIFIED), "neither"),
        (decode_activity, activity(tenant=""), "cannot be"),
        (decode_activity, activity(time_us=2**62), "has no date"),
    ],
)
def test_what_cannot_be_is_refused(decode: Callable[[bytes], object], data: bytes, words: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        decode(data)
    assert words in str(refused.value)


def test_a_stream_has_a_name_that_can_be_a_token() -> None:
    with pytest.raises(InvalidToken, match="stream"):
        replace(CHUNK, stream="a b")
