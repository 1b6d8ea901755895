"""What every summariser offers, and what it is given."""

from dataclasses import dataclass
from typing import Protocol

from vigil.core.memory import MemoryRequest


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the span, with its model time in milliseconds. `uuid` is its name at the engine."""

    uuid: str
    time_ms: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class SummaryTask:
    """A block to be written, with those of its pictures that the store still has, oldest first."""

    request: MemoryRequest
    pictures: tuple[Picture, ...]
    deadline_s: float


class SummariserError(Exception):
    """No text came. `reason` is for people, `kind` for the metric. A failure that is not `is_transient` is the same
    the next time."""

    def __init__(self, reason: str, kind: str, *, is_transient: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind
        self.is_transient = is_transient


class SpanGone(SummariserError):
    """Nothing is left that a block could be written of. No summariser was asked, and none ever could write it."""

    def __init__(self) -> None:
        super().__init__("no picture of the span is left, and nothing was said in it", "gone", is_transient=False)


class Summariser(Protocol):
    """Writes a block. What it returns is not trusted: see `vigil_memory.block_text`."""

    async def write(self, task: SummaryTask) -> str:
        """The text of the block, within `task.deadline_s`. Raises `SummariserError`. A call that is cancelled leaves
        nothing running."""
        ...
