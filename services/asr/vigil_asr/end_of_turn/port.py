"""What a judge of turns is."""

from typing import Protocol


class JudgeFailed(Exception):
    """It gave no judgement; says why."""


class TurnJudge(Protocol):
    """Hears whether somebody has finished."""

    async def complete(self, pcm: bytes) -> float:
        """How probable it is, 0 to 1, that whoever speaks in `pcm` (16-bit mono at 16,000 Hz, with the pause at its
        end) has finished. Raises `JudgeFailed`. Cancelled when the answer does not matter any more."""
        ...
