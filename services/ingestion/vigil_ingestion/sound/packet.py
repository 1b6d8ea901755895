"""Coded sound as it comes out of a source, and in which codec."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class SoundFormat:
    """What a decoder must know. Each opened source has its own, so that a source that is opened again is decoded anew.
    `sample_rate_hz` is 0 and `layout` empty where only the sound itself tells them."""

    codec: str
    extradata: bytes | None
    sample_rate_hz: int
    layout: str


@dataclass(frozen=True, slots=True)
class SoundPacket:
    """A copy of some coded sound: its container may be closed before it is decoded. `position_us` is where it begins in
    the source's time, as that of its pictures; None when the format does not say."""

    data: bytes
    position_us: int | None
    duration_us: int


Hear = Callable[[SoundPacket], None]
