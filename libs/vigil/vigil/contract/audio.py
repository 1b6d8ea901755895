"""Sound on the bus, as values: what a session may hear, what it speaks, and whether somebody speaks to it.

All of it is live only. Sound is 16-bit little-endian mono samples.
"""

from dataclasses import dataclass
from enum import IntEnum

from google.protobuf.message import DecodeError

from vigil.contract.errors import InvalidMessage
from vigil.core.errors import CoreError
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey, token
from vigil.core.sound import MAX_CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ, chunk_bytes, duration_ms, is_whole
from vigil.v1 import audio_pb2 as pb

MAX_SPOKEN_BYTES = 512 * 1_024  # of one spoken chunk; NATS carries messages of 1 MiB
MAX_TIME_US = 253_402_300_799_000_000  # the last second that has a date
SPOKEN_RATES_HZ = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)

_ORIGINS = {Origin.SOURCE: pb.AUDIO_ORIGIN_SOURCE, Origin.MICROPHONE: pb.AUDIO_ORIGIN_MICROPHONE}
_ORIGINS_FROM_PB: dict[int, Origin] = {number: origin for origin, number in _ORIGINS.items()}


class VoiceState(IntEnum):
    """Whether somebody speaks to the session."""

    STARTED = pb.VOICE_STATE_STARTED
    STOPPED = pb.VOICE_STATE_STOPPED
    FALSE_START = pb.VOICE_STATE_FALSE_START

    @property
    def label(self) -> str:
        """Its name for clients: `started`, `stopped`, `false_start`."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Sound that a session may hear: at most `MAX_CHUNK_MS` at `SAMPLE_RATE_HZ`.

    `stream` names the connection or track, whose chunks `sequence` counts from 0: a gap says that some were dropped.
    `capture_time_us` is when its first sample was heard, by the clock of the pictures. `is_addressed` says that the
    speaker held the button.
    """

    key: SessionKey
    origin: Origin
    stream: str
    sequence: int
    capture_time_us: int
    pcm: bytes
    is_addressed: bool = False

    def __post_init__(self) -> None:
        token(self.stream, "stream")

    @property
    def duration_ms(self) -> float:
        """How long it sounds."""
        return duration_ms(self.pcm)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word's characters in the utterance's text (the first, and the one behind the last), and when it sounds, in
    milliseconds after the first sample of its chunk."""

    begin_char: int
    end_char: int
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """A piece of an utterance as it is to be played, and the `sentence` that it is of, which begins at
    `sentence_begin_char` of the utterance's text. `words` begin in it; it is empty where the voice does not tell them.
    Only a last chunk may be without sound."""

    key: SessionKey
    utterance: str
    sequence: int
    sentence: str
    sentence_begin_char: int
    sample_rate_hz: int
    pcm: bytes
    words: tuple[SpokenWord, ...] = ()
    is_last: bool = False

    @property
    def duration_ms(self) -> float:
        """How long it sounds."""
        return duration_ms(self.pcm, self.sample_rate_hz)


@dataclass(frozen=True, slots=True)
class VoiceActivity:
    """Somebody began to speak to the session, stopped, or had not spoken at all, at a time by the pictures' clock.
    `stream` is that of the chunks in which it was heard."""

    key: SessionKey
    state: VoiceState
    time_us: int
    origin: Origin
    stream: str


def encode_audio(chunk: AudioChunk) -> bytes:
    """A chunk as bytes for `subjects.audio_in`."""
    message = pb.AudioChunk(
        tenant=chunk.key.tenant,
        session=chunk.key.session,
        origin=_ORIGINS[chunk.origin],
        stream=chunk.stream,
        sequence=chunk.sequence,
        capture_time_us=chunk.capture_time_us,
        sample_rate_hz=SAMPLE_RATE_HZ,
        pcm=chunk.pcm,
        is_addressed=chunk.is_addressed,
    )
    return message.SerializeToString()


def decode_audio(data: bytes) -> AudioChunk:
    """Read what `encode_audio` wrote, or raise `InvalidMessage`."""
    try:
        message = pb.AudioChunk.FromString(data)
        if message.sample_rate_hz != SAMPLE_RATE_HZ:
            raise InvalidMessage(f"a chunk of sound at {message.sample_rate_hz} Hz: it must be at {SAMPLE_RATE_HZ}")
        _check_pcm(message.pcm, chunk_bytes(MAX_CHUNK_MS))
        return AudioChunk(
            SessionKey(message.tenant, message.session),
            _origin(message.origin),
            message.stream,
            message.sequence,
            _time_us(message.capture_time_us),
            message.pcm,
            message.is_addressed,
        )
    except DecodeError:
        raise InvalidMessage("these bytes are not an AudioChunk") from None
    except CoreError as error:
        raise InvalidMessage(f"a chunk of sound that cannot be: {error}") from None


def encode_spoken(chunk: SpokenChunk) -> bytes:
    """A spoken chunk as bytes for `subjects.audio_out`."""
    message = pb.SpokenChunk(
        tenant=chunk.key.tenant,
        session=chunk.key.session,
        utterance=chunk.utterance,
        sequence=chunk.sequence,
        sentence=chunk.sentence,
        sentence_begin_char=chunk.sentence_begin_char,
        words=[
            pb.SpokenWord(
                begin_char=word.begin_char, end_char=word.end_char, begin_ms=word.begin_ms, end_ms=word.end_ms
            )
            for word in chunk.words
        ],
        sample_rate_hz=chunk.sample_rate_hz,
        pcm=chunk.pcm,
        is_last=chunk.is_last,
    )
    return message.SerializeToString()


def decode_spoken(data: bytes) -> SpokenChunk:
    """Read what `encode_spoken` wrote, or raise `InvalidMessage`."""
    try:
        message = pb.SpokenChunk.FromString(data)
        key = SessionKey(message.tenant, message.session)
    except DecodeError:
        raise InvalidMessage("these bytes are not a SpokenChunk") from None
    except CoreError as error:
        raise InvalidMessage(f"a spoken chunk that cannot be: {error}") from None
    if message.sample_rate_hz not in SPOKEN_RATES_HZ:
        raise InvalidMessage(f"a spoken chunk at {message.sample_rate_hz} Hz, which no voice has")
    if message.pcm or not message.is_last:
        _check_pcm(message.pcm, MAX_SPOKEN_BYTES)
    return SpokenChunk(
        key,
        message.utterance,
        message.sequence,
        message.sentence,
        message.sentence_begin_char,
        message.sample_rate_hz,
        message.pcm,
        tuple(SpokenWord(word.begin_char, word.end_char, word.begin_ms, word.end_ms) for word in message.words),
        message.is_last,
    )


def encode_activity(activity: VoiceActivity) -> bytes:
    """A voice activity as bytes for `subjects.voice_activity`."""
    message = pb.VoiceActivity(
        tenant=activity.key.tenant,
        session=activity.key.session,
        state=pb.VoiceState.ValueType(activity.state),
        time_us=activity.time_us,
        origin=_ORIGINS[activity.origin],
        stream=activity.stream,
    )
    return message.SerializeToString()


def decode_activity(data: bytes) -> VoiceActivity:
    """Read what `encode_activity` wrote, or raise `InvalidMessage`."""
    try:
        message = pb.VoiceActivity.FromString(data)
        return VoiceActivity(
            SessionKey(message.tenant, message.session),
            VoiceState(message.state),
            _time_us(message.time_us),
            _origin(message.origin),
            message.stream,
        )
    except DecodeError:
        raise InvalidMessage("these bytes are not a VoiceActivity") from None
    except (CoreError, ValueError) as error:
        raise InvalidMessage(f"a voice activity that cannot be: {error}") from None


def _time_us(time_us: int) -> int:
    """A time that events can state."""
    if not 0 <= time_us <= MAX_TIME_US:
        raise InvalidMessage(f"sound of {time_us:,} us after 1970, which has no date")
    return time_us


def _origin(number: int) -> Origin:
    origin = _ORIGINS_FROM_PB.get(number)
    if origin is None:
        raise InvalidMessage("sound comes from a source or a microphone: this says neither")
    return origin


def _check_pcm(pcm: bytes, most: int) -> None:
    if not is_whole(pcm, most):
        raise InvalidMessage(
            f"{len(pcm):,} bytes of sound: give whole samples of {SAMPLE_BYTES} bytes, at most {most:,}"
        )
