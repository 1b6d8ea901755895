"""An open source: PyAV's demuxer and decoder, with every failure as a typed `SourceError`."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
import av.error
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from vigil.core.source import SourceKind
from vigil_ingestion import metrics
from vigil_ingestion.address import Address
from vigil_ingestion.continuity import US_PER_S, Continuity
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.geometry import SQUARE, Geometry
from vigil_ingestion.media_errors import translated
from vigil_ingestion.orientation import orientation_of
from vigil_ingestion.relay import Endpoint, Trust, relayed
from vigil_ingestion.selection import chosen, is_cover
from vigil_ingestion.sound.packet import Hear, SoundFormat, SoundPacket

if TYPE_CHECKING:  # generic in its stubs only
    VideoPacket = Packet[VideoStream]

FALLBACK_RATE = 25.0
FALLBACK_TIME_BASE = Fraction(1, 90_000)

# Containers of video only: playlists (HLS, DASH, concat) would let a source name further addresses past the policy.
FORMATS = "mov,mp4,matroska,webm,avi,mpegts,mpeg,h264,hevc,mjpeg,mpjpeg,rtsp,sdp,rtp,flv,ogg,asf,ivf,m4v"
RAW_FORMATS = frozenset({"mjpeg", "mpjpeg", "h264", "hevc", "m4v"})
STAMPS_ONLY = RAW_FORMATS | {"mpegts", "mpeg"}
PROTOCOLS = {
    SourceKind.FILE: "file",
    SourceKind.RTSP: "rtsp,rtp,rtcp,tcp,udp",  # without TLS: `relay` speaks it
    SourceKind.HTTP: "http,tcp",
}
# Packets that are read to detect the stream are kept, because one of them may be the only key frame for seconds; the
# option `nobuffer` would drop it. Instead little is read: the frame rate need not be measured.
LOW_DELAY = {"flags": "low_delay", "probesize": "500000", "analyzeduration": "1000000", "fpsprobesize": "0"}
OPTIONS = {
    SourceKind.FILE: {},
    SourceKind.RTSP: {
        **LOW_DELAY,
        "rtsp_transport": "tcp+udp",  # UDP where a camera refuses TCP, over which no packet is lost
        "rtsp_flags": "prefer_tcp",
        "allowed_media_types": "video",
    },
    SourceKind.HTTP: {"max_redirects": "0"},  # a redirect could lead past the policy
}
STRICT = {"err_detect": "explode"}  # a damaged JPEG is an error, where the default is a picture that is half grey
STRICT_CODECS = frozenset({"mjpeg"})


WITH_SOUND = {SourceKind.RTSP: {"allowed_media_types": "video+audio"}}
UNSTATED_SOUND_US = 20_000  # of a packet of sound that does not say how long it is


LEAST_OPEN_S = 1.0  # for the media library, after a camera took nearly all the time to be reached
SLOW_READ_S = 20.0  # for the next packet of a source that may be slow


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds that a source may take to open, and to give its next packet; and whose certificates are trusted."""

    open_s: float = 9.0
    read_s: float = 5.0
    trust: Trust = field(default_factory=Trust)

    @property
    def patient(self) -> "Limits":
        """For a source that may be slow."""
        return replace(self, read_s=max(self.read_s, SLOW_READ_S))


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a source says of itself. `duration_s` is 0 for a live source."""

    width: int
    height: int
    frames_per_second: float
    codec: str
    duration_s: float


class Media:
    """A source's video stream, and its sound while `hear` is set. Belongs to one thread; positions are microseconds
    from the start of the video stream."""

    def __init__(
        self, address: Address, container: InputContainer, stream: VideoStream, sound: AudioStream | None = None
    ) -> None:
        self._address = address
        self._sound = sound
        self.sound = None if sound is None else _sound_format(sound)
        self.hear: Hear | None = None  # called with the sound that stands between the pictures
        self._container = container
        self._stream = stream
        self._start = stream.start_time or 0
        self._rate = float(stream.average_rate or stream.guessed_rate or FALLBACK_RATE)
        self._time_base = stream.time_base or FALLBACK_TIME_BASE
        self._tick_us, self._ticks = self._time_base.numerator * US_PER_S, self._time_base.denominator
        self._size = stream.codec_context.width, stream.codec_context.height
        self.geometry = Geometry()  # how the newest picture is to be seen
        self._formats = frozenset(container.format.name.split(","))
        self._decoded = 0
        self.shown_us = 0  # up to where pictures were decoded
        self.broken = 0

    @property
    def live(self) -> bool:
        """Whether it has no end and its own pace, as a camera has."""
        match self._address.kind:
            case SourceKind.RTSP:
                return True
            case SourceKind.HTTP:
                return self.is_camera or not (self.sized or self.nominal_us)
            case _:
                return False

    @property
    def is_camera(self) -> bool:
        """Whether it sends pictures in the form that cameras alone do: each replaces the one before."""
        return self._address.kind is SourceKind.RTSP or "mpjpeg" in self._formats

    @property
    def sized(self) -> bool:
        """Whether the server says how many bytes there are: then it is a file, and any part of it can be asked for."""
        return self._address.kind is SourceKind.FILE or self._container.size > 0

    @property
    def timed(self) -> bool:
        """Whether its time stamps are the camera's. A raw stream has no time stamps, and the demuxer invents them."""
        return not RAW_FORMATS & self._formats

    @property
    def nominal_us(self) -> int:
        """The length that the header claims; 0 when it claims none."""
        if "mp4" in self._formats and not self._stream.frames and not self.sized:
            return 0  # a stream of fragments: FFmpeg adds up those that it has read so far
        return int(self._container.duration or 0)

    @property
    def states_length(self) -> bool:
        """Whether its header has its length. Otherwise FFmpeg guesses one from stamps that may jump."""
        return not STAMPS_ONLY & self._formats

    @property
    def picture_us(self) -> int:
        """How long one picture is shown."""
        return int(US_PER_S / self._rate)

    def info(self) -> MediaInfo:
        """What the source is, once a picture has been decoded or its header was complete."""
        context = self._stream.codec_context
        duration_s = 0.0 if self.live else self.nominal_us / US_PER_S
        return MediaInfo(context.width, context.height, self._rate, context.name, duration_s)

    def packets(self) -> Iterator["VideoPacket"]:
        """Coded pictures in file order; at the end of a file an empty packet, which drains the decoder."""
        with translated(self._address):
            if self._sound is None or self.hear is None:
                yield from self._container.demux(self._stream)
                return
            for packet in self._container.demux(self._stream, self._sound):
                if packet.stream_index == self._stream.index:
                    yield cast("VideoPacket", packet)
                elif packet.size and not packet.is_corrupt:
                    self.hear(self._sound_packet(packet))

    def frames(self, packet: "VideoPacket") -> Iterator[av.VideoFrame]:
        """The pictures that a packet completes. What cannot be decoded is counted in `broken` and skipped."""
        if packet.is_corrupt:
            self._count_broken()
            return
        try:
            decoded = packet.decode()
        except Exception:  # noqa: BLE001  a damaged packet may fail a decoder in any way
            self._count_broken()
            return
        for frame in decoded:
            metrics.DECODED.inc()
            self._decoded += 1
            if isinstance(frame, av.VideoFrame) and not frame.is_corrupt:
                if frame.key_frame or not self.shown_us:  # what it says counts until the next one
                    self.geometry = Geometry(self._aspect(), orientation_of(frame))
                self.shown_us = max(self.shown_us, self.frame_position_us(frame) + self.picture_us)
                yield frame
            else:
                self._count_broken()

    def packet_position_us(self, packet: "VideoPacket") -> int | None:
        """Where a packet's picture stands in the stream; None when the format does not say."""
        return None if packet.pts is None else self._position_us(packet.pts)

    def decoding_position_us(self, packet: "VideoPacket") -> int | None:
        """When a packet is decoded. Unlike pictures, packets are in the order of these stamps."""
        return self.packet_position_us(packet) if packet.dts is None else self._position_us(packet.dts)

    def frame_position_us(self, frame: av.VideoFrame) -> int:
        """Where a picture stands in the stream; without time stamps, by counting at the stream's rate."""
        return (self._decoded - 1) * self.picture_us if frame.pts is None else self._position_us(frame.pts)

    def seek(self, position_us: int) -> None:
        """Go to the last key frame at or before a position. A format without an index stays at its start."""
        try:
            pts = self._start + int(position_us / US_PER_S / self._time_base)
            self._container.seek(pts, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return

    def measured(self, until_s: float = math.inf) -> tuple[int, Continuity]:
        """The length that can be played, in microseconds, and what was joined for it.

        It is found by reading all packets, not decoded. Nothing can be read afterwards. 0 when that would take longer
        than until `until_s` of the monotonic clock.
        """
        end_us, count, continuity = 0, 0, Continuity(self.picture_us)
        for packet in self.packets():
            if time.monotonic() > until_s:
                return 0, continuity
            if packet.size and not packet.is_corrupt:
                count += 1
                continuity = self.continued(continuity, packet)
                position_us = self.packet_position_us(packet)
                stamp_us = (count - 1) * self.picture_us if position_us is None else position_us
                end_us = max(end_us, continuity.place_us(stamp_us) + self.picture_us)
        return end_us, continuity

    def continued(self, continuity: Continuity, packet: "VideoPacket") -> Continuity:
        """The file's time after a packet. One that does not say when it is decoded, as the first ones of a container
        that keeps only the times of pictures, says nothing of jumps."""
        return continuity if packet.dts is None else continuity.step(self._position_us(packet.dts))[0]

    def _sound_packet(self, packet: "Packet[Stream]") -> SoundPacket:
        base_us = float(packet.time_base or 0) * US_PER_S
        duration_us = int((packet.duration or 0) * base_us) or UNSTATED_SOUND_US
        if packet.pts is None or not base_us:
            return SoundPacket(bytes(packet), None, duration_us)
        begins_us = self._start * self._tick_us // self._ticks
        return SoundPacket(bytes(packet), int(packet.pts * base_us) - begins_us, duration_us)

    def _aspect(self) -> Fraction:
        """The shape of a pixel. The container's word counts before the codec's, as players have it, until the size
        changes."""
        context = self._stream.codec_context
        of_stream = self._stream.sample_aspect_ratio if (context.width, context.height) == self._size else None
        return of_stream or context.sample_aspect_ratio or SQUARE

    def _position_us(self, pts: int) -> int:
        return (pts - self._start) * self._tick_us // self._ticks

    def _count_broken(self) -> None:
        self.broken += 1
        metrics.DECODE_ERRORS.inc()
        metrics.DROPPED.labels("broken").inc()


@contextmanager
def opened(address: Address, limits: Limits, *, hears: bool = False) -> Iterator[Media]:
    """Open a source that the policy allowed, with its sound where it has some and somebody `hears` it. Raises
    `SourceError`."""
    options = OPTIONS[address.kind] | (WITH_SOUND.get(address.kind, {}) if hears else {})
    options |= {"protocol_whitelist": PROTOCOLS[address.kind], "format_whitelist": FORMATS}
    until_s = time.monotonic() + limits.open_s
    with (
        relayed(address, limits.trust, limits.open_s) as endpoint,
        _container(address, limits, endpoint, options, until_s) as container,
    ):
        stream = _stream(container, address.shown)
        stream.thread_type = "NONE"  # decoder threads hold pictures back; without them a stream takes a single thread
        stream.codec_context.thread_count = 1
        if stream.codec_context.name in STRICT_CODECS:
            stream.codec_context.options = STRICT
        yield Media(address, container, stream, _heard(container) if hears else None)


def _container(
    address: Address, limits: Limits, endpoint: Endpoint, options: dict[str, str], until_s: float
) -> InputContainer:
    open_s = max(until_s - time.monotonic(), LEAST_OPEN_S)
    try:
        with translated(address):
            return av.open(endpoint.url, options=options | endpoint.options, timeout=(open_s, limits.read_s))
    except SourceError as error:
        raise endpoint.refusal or error from None


def _stream(container: InputContainer, shown: str) -> VideoStream:
    """The video stream to watch. Raises `SourceError` when there is none that can be decoded."""
    streams = [stream for stream in container.streams.video if not is_cover(stream)]
    if not streams:
        what = "only a cover picture" if container.streams.video else "no video"
        raise SourceError(Fault.NOT_A_VIDEO, f"{shown} holds {what}: give a file or stream with pictures")
    stream = chosen(streams)
    if stream.codec_context is None:
        raise SourceError(
            Fault.NOT_A_VIDEO, f"{shown} is coded by a codec that cannot be decoded here: set its camera to H.264"
        )
    return stream


def _heard(container: InputContainer) -> AudioStream | None:
    """The sound that goes with the pictures: the first that can be decoded."""
    return next((stream for stream in container.streams.audio if stream.codec_context is not None), None)


def _sound_format(stream: AudioStream) -> SoundFormat:
    codec = stream.codec_context
    layout = codec.layout.name if codec.channels else ""
    return SoundFormat(codec.name, codec.extradata, codec.sample_rate or 0, layout)
