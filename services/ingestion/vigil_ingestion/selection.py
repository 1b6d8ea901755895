"""Which of a source's video streams is watched."""

from collections.abc import Sequence

from av.stream import Disposition
from av.video.stream import VideoStream

# A cover, thumbnails for a seek bar, a layer that means nothing without another stream.
SECONDARY = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image | Disposition.dependent


def is_cover(stream: VideoStream) -> bool:
    """Whether it is a single picture beside the sound, as the cover of an album is."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def chosen(streams: Sequence[VideoStream]) -> VideoStream:
    """The stream that a player would show: one that can be decoded, is video and no cover, and is marked as default.

    The first of several alike, which is a camera's main stream.
    """
    return max(streams, key=_rank)


def _rank(stream: VideoStream) -> tuple[bool, bool, bool]:
    is_decodable = stream.codec_context is not None
    return not stream.disposition & SECONDARY, is_decodable, bool(stream.disposition & Disposition.default)
