"""Sound that a detector without a model can tell apart: what is loud is speech."""

from vigil_asr.endpoint import FRAME_BYTES


class LoudnessDetector:
    """Takes a frame whose middle is loud for speech."""

    def __init__(self) -> None:
        self.forgot = 0

    def probability(self, frame: bytes) -> float:
        return 0.9 if frame[FRAME_BYTES // 2] else 0.01

    def forget(self) -> None:
        self.forgot += 1


def loud(milliseconds: int) -> bytes:
    """So much sound that is speech to it."""
    return b"\1" * (milliseconds * 32)


def still(milliseconds: int) -> bytes:
    """So much sound that is not."""
    return b"\0" * (milliseconds * 32)
