"""Coded or decoded sound as samples that a session hears: 16 kHz, mono, 16 bits."""

from collections.abc import Iterator

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.resampler import AudioResampler

from vigil.core.sound import SAMPLE_BYTES, SAMPLE_RATE_HZ
from vigil_ingestion.sound.packet import SoundFormat


class Decoder:
    """Belongs to one thread. `format` is None for sound that comes decoded, as that of WebRTC does."""

    def __init__(self, sound_format: SoundFormat | None) -> None:
        self.format = sound_format
        self._codec = None if sound_format is None else _codec(sound_format)
        self._resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE_HZ)

    def samples(self, data: bytes | av.AudioFrame) -> bytes:
        """The samples of a piece of sound. Raises whatever the media library does for one that is damaged."""
        return b"".join(
            bytes(plain.planes[0])[: plain.samples * SAMPLE_BYTES]
            for frame in self._frames(data)
            for plain in self._resampler.resample(frame)
        )

    def _frames(self, data: bytes | av.AudioFrame) -> Iterator[av.AudioFrame]:
        if isinstance(data, av.AudioFrame):
            data.pts = None  # its time is known; the resampler would fill the gaps of stamps that jump
            yield data
            return
        if self._codec is None:
            raise TypeError("coded sound needs a format")
        for frame in self._codec.decode(av.Packet(data)):
            frame.pts = None
            yield frame


def _codec(sound_format: SoundFormat) -> AudioCodecContext:
    codec = av.CodecContext.create(sound_format.codec, "r")
    if not isinstance(codec, AudioCodecContext):
        raise TypeError(f"{sound_format.codec} is no codec of sound")
    if sound_format.extradata:
        codec.extradata = sound_format.extradata
    if sound_format.sample_rate_hz:
        codec.sample_rate = sound_format.sample_rate_hz
    if sound_format.layout:
        codec.layout = sound_format.layout
    codec.thread_count = 1
    return codec
