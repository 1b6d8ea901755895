"""The pictures of a source, each with its capture time: of a live source, or of a file that is played as if live.

Capture time is always of this server's clock. A camera's time stamps only help to tell whether a picture is old.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import av

from vigil_ingestion import metrics
from vigil_ingestion.address import Address
from vigil_ingestion.camera_clock import CameraClock, ClockFault, ClockNotice
from vigil_ingestion.clock import Clock
from vigil_ingestion.continuity import US_PER_S, Continuity
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.geometry import Geometry
from vigil_ingestion.lateness import Gate, Lag, Passage
from vigil_ingestion.media import Limits, Media, opened
from vigil_ingestion.sound.ear import Ear
from vigil_ingestion.sound.packet import SoundPacket
from vigil_ingestion.timeline import SHORTEST_ROUND_US, Timeline

if TYPE_CHECKING:
    from vigil_ingestion.media import VideoPacket

PICTURELESS_US = 20 * US_PER_S  # longer than the time between two key frames of any camera
TRUNCATED_US = US_PER_S // 2  # a file is called truncated when its header claims this much more


@dataclass(frozen=True, slots=True)
class Capture:
    """A picture and when it was seen, by this server's clock, in microseconds since the Unix epoch."""

    time_us: int
    frame: av.VideoFrame
    geometry: Geometry = field(default_factory=Geometry)


@dataclass(frozen=True, slots=True)
class Length:
    """How much of a file can be played. `complaint` says what is missing, and `notice` that its stamps jump; it is
    `recorded` when that was only found out by reading it as if it were live."""

    duration_us: int
    complaint: str = ""
    notice: ClockNotice | None = None
    recorded: bool = False


class ClockWatch:
    """Tells a live source's owner, and the metrics, when its time stamps drift or jump."""

    def __init__(self, tell: Callable[[ClockNotice | None], None]) -> None:
        self._tell = tell
        self._clock = CameraClock()
        self._told: ClockNotice | None = None

    def step(self, lag: Lag) -> None:
        """Take a packet's lag into account."""
        before, self._clock = self._clock, self._clock.step(lag)
        metrics.CLOCK_FAULTS.labels(ClockFault.JUMP).inc(self._clock.jumps - before.jumps)
        metrics.CLOCK_FAULTS.labels(ClockFault.DRIFT).inc(self._clock.drifts - before.drifts)
        notice = self._clock.notice(lag.now_us)
        if notice != self._told:
            self._told = notice
            self._tell(notice)


def live(
    media: Media,
    clock: Clock,
    tell: Callable[[ClockNotice | None], None] = lambda _notice: None,
    ear: Ear | None = None,
) -> Iterator[Capture]:
    """Pictures as they arrive; capture time is when they were decoded. Ends when the clock stops, else raises.

    `tell` hears what is wrong with the camera's time stamps, and None when nothing is wrong any more; `ear` hears the
    camera's sound.
    """
    if ear is not None and media.sound is not None:
        media.hear = ear.live(media.sound, clock)
    gate, lag, decoded_us, stamps = Gate(), Lag(), clock.now_us(), ClockWatch(tell)
    for packet, waited_us in _awaited(media, clock):
        position_us, passage = media.decoding_position_us(packet), Passage.SHOW
        if position_us is not None and media.timed:
            lag, lag_us = lag.step(clock.now_us(), position_us, waited_us)
            gate, passage = gate.step(lag_us, packet.is_keyframe)
            stamps.step(lag)
        if passage is not Passage.SHOW:
            decoded_us = clock.now_us()  # what is left out on purpose says nothing of the pictures
        elif clock.now_us() - decoded_us > PICTURELESS_US:
            raise SourceError(Fault.NOT_A_VIDEO, "packets arrive, but no picture can be decoded: check its encoder")
        for frame in _passed(media, packet, passage):
            if not clock.wait_until(0):
                return
            decoded_us = clock.now_us()
            yield Capture(decoded_us, frame, media.geometry)
        if not clock.wait_until(0):
            return
    raise SourceError(Fault.UNREACHABLE, "the stream ended: the camera or its server closed the connection")


def _awaited(media: Media, clock: Clock) -> "Iterator[tuple[VideoPacket, int]]":
    """Packets, each with the microseconds that it was waited for."""
    asked_us = clock.now_us()
    for packet in media.packets():
        yield packet, clock.now_us() - asked_us
        asked_us = clock.now_us()


def length(media: Media, shown: str) -> Length:
    """How much of a file can be played; reads it to its end. Raises `SourceError` when nothing can be played."""
    nominal_us, (duration_us, continuity) = media.nominal_us, media.measured()
    if duration_us == 0:
        raise SourceError(Fault.NOT_A_VIDEO, f"{shown} has no picture that can be read: the file is damaged")
    if continuity.jumps:
        metrics.CLOCK_FAULTS.labels(ClockFault.JUMP).inc(continuity.jumps)
        jump_s = round(continuity.jump_us / US_PER_S, 1)
        return Length(duration_us, notice=ClockNotice(ClockFault.JUMP, jump_s, recorded=True))
    if nominal_us - duration_us <= TRUNCATED_US:
        return Length(duration_us)
    played_s, whole_s = duration_us / US_PER_S, nominal_us / US_PER_S
    return Length(duration_us, f"the file is truncated: {played_s:.1f} s of {whole_s:.1f} s can be played")


def played(
    address: Address,
    limits: Limits,
    timeline: Timeline,
    clock: Clock,
    *,
    seekable: bool = True,
    ear: Ear | None = None,
) -> Iterator[Capture]:
    """A file as a camera would show it: at its own speed, from where its timeline is now. `ear` hears its sound.

    The file is opened again for each round, so a replaced file is noticed. Ends with the timeline or the clock. In a
    file whose stamps jump nothing can be sought (`seekable`): it is decoded from its start.
    """
    turn, position_us = timeline.at(clock.now_us())
    while timeline.has(turn):
        with opened(address, limits, hears=ear is not None) as media:
            end_us = yield from _round(media, timeline, clock, turn, position_us, seekable, ear)
        if end_us is None:
            return
        if media.broken and not media.shown_us:
            raise SourceError(
                Fault.NOT_A_VIDEO, f"none of the pictures of {address.shown} can be decoded: it is damaged"
            )
        if end_us < timeline.duration_us - TRUNCATED_US:  # a header promised more than there is: nobody waits for that
            timeline = replace(timeline, duration_us=max(end_us, SHORTEST_ROUND_US))
        if not clock.wait_until(timeline.due_us(turn + 1, 0)):
            return
        turn, position_us = timeline.at(clock.now_us())


def _round(
    media: Media, timeline: Timeline, clock: Clock, turn: int, from_us: int, seekable: bool, ear: Ear | None
) -> Generator[Capture, None, int | None]:
    """A round, from the picture that is on screen at `from_us`. Earlier pictures are decoded but not shown.

    Returns where the round ended, or None when the clock stopped.
    """
    if seekable and from_us > media.picture_us:
        media.seek(from_us)
    gate, continuity, playing, end_us = Gate(), Continuity(media.picture_us), False, from_us

    def hear(packet: SoundPacket) -> None:
        place_us = -1 if packet.position_us is None else continuity.place_us(packet.position_us)
        if ear is not None and media.sound is not None and from_us <= place_us < timeline.duration_us:
            ear.played(packet, timeline.due_us(turn, place_us), media.sound, clock)

    media.hear = None if ear is None else hear
    for packet in media.packets():
        position_us, passage = media.packet_position_us(packet), Passage.SHOW
        continuity = media.continued(continuity, packet)
        if playing and position_us is not None:
            late_us = clock.now_us() - timeline.due_us(turn, continuity.place_us(position_us))
            gate, passage = gate.step(late_us, packet.is_keyframe)
        if position_us is not None:
            end_us = max(end_us, continuity.place_us(position_us) + media.picture_us)
        for frame in _passed(media, packet, passage):
            shown_us = continuity.place_us(media.frame_position_us(frame))
            end_us = max(end_us, shown_us + media.picture_us)
            if shown_us + media.picture_us <= from_us:
                continue
            playing = True
            due_us = timeline.due_us(turn, shown_us)
            if not clock.wait_until(due_us):
                return None
            yield Capture(due_us, frame, media.geometry)
    return end_us


def _passed(media: Media, packet: "VideoPacket", passage: Passage) -> Iterator[av.VideoFrame]:
    """The pictures of a packet that may be shown."""
    if passage is Passage.SHOW:
        yield from media.frames(packet)
        return
    metrics.DROPPED.labels("late").inc()
    if passage is Passage.HIDE:
        for _ in media.frames(packet):
            pass
