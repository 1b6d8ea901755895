"""The pictures of a source, each with its capture time: of a live source, or of a file that is played as if live."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

from vigil_ingestion import metrics
from vigil_ingestion.address import Address
from vigil_ingestion.clock import Clock
from vigil_ingestion.faults import Fault, SourceError
from vigil_ingestion.lateness import Gate, Lag, Passage
from vigil_ingestion.media import US_PER_S, Limits, Media, opened
from vigil_ingestion.timeline import Timeline

if TYPE_CHECKING:
    from vigil_ingestion.media import VideoPacket

PICTURELESS_US = 20 * US_PER_S  # longer than the time between two key frames of any camera
TRUNCATED_US = US_PER_S // 2  # a file is called truncated when its header claims this much more


@dataclass(frozen=True, slots=True)
class Capture:
    """A picture and when the camera saw it, microseconds since the Unix epoch."""

    time_us: int
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class Length:
    """How much of a file can be played. `complaint` says what is missing, if anything."""

    duration_us: int
    complaint: str = ""


def live(media: Media, clock: Clock) -> Iterator[Capture]:
    """Pictures as they arrive; capture time is when they were decoded. Ends when the clock stops, else raises."""
    gate, lag, shown_us = Gate(), Lag(), clock.now_us()
    for packet in media.packets():
        if clock.now_us() - shown_us > PICTURELESS_US:
            raise SourceError(Fault.NOT_A_VIDEO, "packets arrive, but no picture can be decoded: check its encoder")
        position_us, passage = media.packet_position_us(packet), Passage.SHOW
        if position_us is not None and media.timed:
            lag, lag_us = lag.step(clock.now_us(), position_us)
            gate, passage = gate.step(lag_us, packet.is_keyframe)
        for frame in _passed(media, packet, passage):
            if not clock.wait_until(0):
                return
            shown_us = clock.now_us()
            yield Capture(shown_us, frame)
        if not clock.wait_until(0):
            return
    raise SourceError(Fault.UNREACHABLE, "the stream ended: the camera or its server closed the connection")


def length(media: Media, shown: str) -> Length:
    """How much of a file can be played; reads it to its end. Raises `SourceError` when nothing can be played."""
    nominal_us, duration_us = media.nominal_us, media.measured_us()
    if duration_us == 0:
        raise SourceError(Fault.NOT_A_VIDEO, f"{shown} has no picture that can be read: the file is damaged")
    if nominal_us - duration_us <= TRUNCATED_US:
        return Length(duration_us)
    played_s, whole_s = duration_us / US_PER_S, nominal_us / US_PER_S
    return Length(duration_us, f"the file is truncated: {played_s:.1f} s of {whole_s:.1f} s can be played")


def played(address: Address, limits: Limits, timeline: Timeline, clock: Clock) -> Iterator[Capture]:
    """A file as a camera would show it: at its own speed, from where its timeline is now.

    The file is opened again for each round, so a replaced file is noticed. Ends with the timeline or the clock.
    """
    turn, position_us = timeline.at(clock.now_us())
    while timeline.has(turn):
        with opened(address, limits) as media:
            yield from _round(media, timeline, clock, turn, position_us)
        if not clock.wait_until(timeline.due_us(turn + 1, 0)):
            return
        turn, position_us = timeline.at(clock.now_us())


def _round(media: Media, timeline: Timeline, clock: Clock, turn: int, from_us: int) -> Iterator[Capture]:
    """A round, from the picture that is on screen at `from_us`. Earlier pictures are decoded but not shown."""
    if from_us > media.picture_us:
        media.seek(from_us)
    gate, playing = Gate(), False
    for packet in media.packets():
        position_us, passage = media.packet_position_us(packet), Passage.SHOW
        if playing and position_us is not None:
            gate, passage = gate.step(clock.now_us() - timeline.due_us(turn, position_us), packet.is_keyframe)
        for frame in _passed(media, packet, passage):
            shown_us = media.frame_position_us(frame)
            if shown_us + media.picture_us <= from_us:
                continue
            playing = True
            due_us = timeline.due_us(turn, shown_us)
            if not clock.wait_until(due_us):
                return
            yield Capture(due_us, frame)


def _passed(media: Media, packet: "VideoPacket", passage: Passage) -> Iterator[av.VideoFrame]:
    """The pictures of a packet that may be shown."""
    if passage is Passage.SHOW:
        yield from media.frames(packet)
        return
    metrics.DROPPED.labels("late").inc()
    if passage is Passage.HIDE:
        for _ in media.frames(packet):
            pass
