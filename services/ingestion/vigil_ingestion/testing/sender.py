"""A client that sends a recording by WebRTC. The recording is encoded once, before, so sending costs little."""

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import av
import numpy as np
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

LEVEL_STEP = 20
CLOCK = 90_000
KEY_EVERY = 5


@dataclass(frozen=True, slots=True)
class Recording:
    """Coded pictures, VP8, at `rate` a second."""

    pictures: tuple[bytes, ...]
    rate: int

    def __add__(self, other: "Recording") -> "Recording":
        return Recording(self.pictures + other.pictures, self.rate)


def recorded(seconds: int = 2, rate: int = 10, size: tuple[int, int] = (160, 96)) -> Recording:
    """A recording whose pictures of second `n` are of grey `LEVEL_STEP * n`."""
    coder = av.CodecContext.create("libvpx", "w")
    if not isinstance(coder, av.VideoCodecContext):
        raise TypeError("libvpx makes no video")
    coder.width, coder.height = size
    coder.pix_fmt, coder.time_base, coder.gop_size = "yuv420p", Fraction(1, rate), KEY_EVERY
    coder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
    coded = []
    for index in range(seconds * rate):
        level = np.full((size[1], size[0], 3), index // rate * LEVEL_STEP, np.uint8)
        picture = av.VideoFrame.from_ndarray(level, format="rgb24").reformat(format="yuv420p")
        picture.pts = index
        coded += [bytes(packet) for packet in coder.encode(picture)]
    return Recording(tuple(coded), rate)


def read(path: Path) -> Recording:
    """The recording in a file of VP8."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        coded = [bytes(packet) for packet in container.demux(stream) if packet.size]
        return Recording(tuple(coded), round(float(stream.average_rate or stream.guessed_rate or 0)))


class Replay(MediaStreamTrack):
    """Sends a recording, from its beginning again and again, `pace` times as fast as it was filmed."""

    kind = "video"

    def __init__(self, recording: Recording, pace: float = 1.0) -> None:
        super().__init__()
        self._recording = recording
        self._pace = pace
        self._count = 0
        self._begun_s: float | None = None
        self.is_muted = False  # a muted camera sends nothing

    async def recv(self) -> "av.Packet[Any]":
        loop, rate = asyncio.get_running_loop(), self._recording.rate
        if self._begun_s is None:
            self._begun_s = loop.time()
        while True:
            if self.readyState != "live":
                raise MediaStreamError
            await asyncio.sleep(self._begun_s + self._count / rate / self._pace - loop.time())
            self._count += 1
            if not self.is_muted:
                break
        pictures = self._recording.pictures
        packet = av.Packet(pictures[(self._count - 1) % len(pictures)])
        packet.pts, packet.time_base = int((self._count - 1) * CLOCK / rate / self._pace), Fraction(1, CLOCK)
        return packet


class Sender:
    """A client of WebRTC: make an `offer`, take the `answer` to it, `close`. Its network loses a share of the packets,
    `loss`."""

    def __init__(self, *tracks: MediaStreamTrack, loss: float = 0.0) -> None:
        self._loss = loss
        self._chance = Random(7)
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        for track in tracks:
            self.connection.addTrack(track)

    async def offer(self) -> str:
        """What it offers."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def answered(self, sdp: str) -> None:
        """Begin to send."""
        transport = self.connection.getSenders()[0].transport
        send = transport._send_rtp

        async def lossy(data: bytes) -> None:
            if self._chance.random() >= self._loss:
                await send(data)

        transport._send_rtp = lossy  # type: ignore[method-assign]
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def close(self) -> None:
        """End the connection, as a page that is closed does."""
        await self.connection.close()


class Tone(AudioStreamTrack):
    """A microphone before which a tone sounds."""

    def __init__(self, pitch_hz: float) -> None:
        super().__init__()
        self._pitch_hz = pitch_hz

    async def recv(self) -> av.AudioFrame:
        quiet = await super().recv()
        if not isinstance(quiet, av.AudioFrame) or quiet.pts is None:
            raise MediaStreamError
        turns = self._pitch_hz * (quiet.pts + np.arange(quiet.samples)) / quiet.sample_rate
        samples = (8_000 * np.sin(2 * np.pi * turns)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = quiet.sample_rate, quiet.pts, quiet.time_base
        return frame


def silence() -> MediaStreamTrack:
    """A microphone in a quiet room."""
    return AudioStreamTrack()
