"""Sound on its way from a source's thread to the one that decodes it: bounded, the newest is kept."""

import threading
from collections import deque
from dataclasses import dataclass

import av

from vigil_ingestion.clock import Clock
from vigil_ingestion.sound.packet import SoundFormat


@dataclass(frozen=True, slots=True)
class Sound:
    """Sound that began at `time_us`. With a `clock` it is of a file, and is heard when that time has come."""

    data: bytes | av.AudioFrame
    time_us: int
    duration_us: int
    format: SoundFormat | None = None
    clock: Clock | None = None


class SoundBuffer:
    """Sound between two threads: the newest `most_us` of it."""

    def __init__(self, most_us: int) -> None:
        self._most_us = most_us
        self._sounds: deque[Sound] = deque()
        self._held_us = 0
        self._changed = threading.Condition()
        self._is_over = False

    def put(self, sound: Sound) -> int:
        """Add the newest; returns how many of the oldest were let go for it."""
        dropped = 0
        with self._changed:
            self._sounds.append(sound)
            self._held_us += sound.duration_us
            while self._held_us > self._most_us and len(self._sounds) > 1:
                self._held_us -= self._sounds.popleft().duration_us
                dropped += 1
            self._changed.notify()
        return dropped

    def take(self) -> Sound | None:
        """Wait for the oldest; None when it is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._sounds or self._is_over)
            if self._is_over:
                return None
            sound = self._sounds.popleft()
            self._held_us -= sound.duration_us
            return sound

    def end(self) -> None:
        """Nothing is taken any more."""
        with self._changed:
            self._is_over = True
            self._changed.notify()
