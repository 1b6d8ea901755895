"""Tiny videos made on the fly. The left half's grey level tells the second that a picture belongs to, and the pitch of
the sound does, where they have any.

Needs PyAV and NumPy, which the environments of the services that read video have.
"""

from pathlib import Path

import av
import numpy as np
from av.bitstream import BitStreamFilterContext

LEVEL_STEP = 20
PITCH_HZ, PITCH_STEP_HZ = 300, 200


def write_video(
    path: Path,
    seconds: int = 4,
    rate: int = 10,
    size: tuple[int, int] = (320, 192),
    codec: str = "libx264",
    faststart: bool = False,
    key_frame_every: int = 0,
) -> Path:
    """A video whose pictures of second `n` have a left half of grey `LEVEL_STEP * n` and a pure red right half."""
    width, height = size
    with av.open(str(path), "w", options={"movflags": "faststart"} if faststart else {}) as container:
        stream = container.add_stream(codec, rate=rate)
        if not isinstance(stream, av.VideoStream):
            raise TypeError(f"codec {codec!r} makes no video")
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.gop_size = key_frame_every or rate
        for index in range(seconds * rate):
            picture = np.full((height, width, 3), index // rate * LEVEL_STEP, np.uint8)
            picture[:, width // 2 :] = (255, 0, 0)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def write_sounding(path: Path, seconds: int = 4, codec: str = "aac", sample_rate_hz: int = 44_100) -> Path:
    """A video like those of `write_video`, with a sound: a tone of `PITCH_HZ`, and `PITCH_STEP_HZ` more each second."""
    with av.open(str(path), "w") as container:
        pictures, sound = container.add_stream("libx264", rate=10), container.add_stream(codec, rate=sample_rate_hz)
        if not isinstance(pictures, av.VideoStream) or not isinstance(sound, av.AudioStream):
            raise TypeError(f"codec {codec!r} makes no sound")
        pictures.width, pictures.height, pictures.pix_fmt = 320, 192, "yuv420p"
        pictures.codec_context.gop_size = 10
        coder = sound.codec_context
        fitting = av.AudioResampler(coder.format, coder.layout, sample_rate_hz, coder.frame_size)
        for second in range(seconds):
            level = np.full((192, 320, 3), second * LEVEL_STEP, np.uint8)
            for _ in range(10):
                container.mux(pictures.encode(av.VideoFrame.from_ndarray(level, format="rgb24")))
            tone = av.AudioFrame.from_ndarray(tone_of(second, sample_rate_hz)[None], format="s16", layout="mono")
            tone.sample_rate, tone.pts = sample_rate_hz, second * sample_rate_hz
            for frame in fitting.resample(tone):
                container.mux(sound.encode(frame))
        for frame in fitting.resample(None):
            container.mux(sound.encode(frame))
        container.mux(pictures.encode(None))
        container.mux(sound.encode(None))
    return path


def tone_of(second: int, sample_rate_hz: int) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    """The samples of that second of `write_sounding`."""
    turns = (PITCH_HZ + PITCH_STEP_HZ * second) * np.arange(sample_rate_hz) / sample_rate_hz
    return (8_000 * np.sin(2 * np.pi * turns)).astype(np.int16)


def second_heard(pcm: bytes, sample_rate_hz: int) -> int:
    """Which second some sound of `write_sounding` belongs to; negative when it is quiet."""
    samples = np.frombuffer(pcm, np.int16).astype(np.float64)
    if np.abs(samples).max() < 1_000:
        return -1
    loudest = int(np.abs(np.fft.rfft(samples * np.hanning(samples.size), 8_192)).argmax())
    return round((loudest * sample_rate_hz / 8_192 - PITCH_HZ) / PITCH_STEP_HZ)


def write_joined(folder: Path, second_s: float, first_s: float = 200) -> Path:
    """Two recordings of 3 s as MPEG-TS, one behind the other, whose stamps begin at `first_s` and at `second_s`."""
    path = folder / "joined.ts"
    with path.open("wb") as whole:
        for name, begins_s in (("a", first_s), ("b", second_s)):
            part = write_video(folder / f"{name}.mp4", seconds=3)
            whole.write(write_stamped(part, folder / f"{name}.ts", begins_s).read_bytes())
    return path


def write_stamped(video: Path, path: Path, begins_s: float) -> Path:
    """The coded pictures of a video as MPEG-TS whose stamps begin at `begins_s`."""
    with (
        av.open(str(video)) as source,
        av.open(str(path), "w", format="mpegts") as container,
    ):
        stream = container.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None and packet.pts is not None and packet.time_base is not None:
                shift = int(begins_s / packet.time_base)
                packet.dts, packet.pts, packet.stream = packet.dts + shift, packet.pts + shift, stream
                container.mux(packet)
    return path


def write_turned(video: Path, path: Path, degrees: int) -> Path:
    """The coded pictures of an H.264 video, which now say that the camera hangs turned by that many degrees."""
    with av.open(str(video)) as source, av.open(str(path), "w") as container:
        given = source.streams.video[0]
        stream = container.add_stream_from_template(given)
        turn = BitStreamFilterContext(f"h264_metadata=display_orientation=insert:rotate={degrees}", given, stream)
        for packet in source.demux(given):
            for coded in turn.filter(packet if packet.size else None):
                coded.stream = stream
                container.mux(coded)
    return path


def second_shown(pixels: "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]") -> int:
    """Which second a picture (height, width, 3) of `write_video` belongs to."""
    height, width, _ = pixels.shape
    return round(float(pixels[height // 4 : height // 2, width // 8 : width // 4].mean()) / LEVEL_STEP)


def jpegs_of(path: Path) -> list[bytearray]:
    """The pictures of a raw MJPEG file."""
    return [bytearray(b"\xff\xd8" + body) for body in path.read_bytes().split(b"\xff\xd8")[1:]]
