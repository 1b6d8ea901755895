"""A turn: what the model was shown in one interval and what it replied."""

from dataclasses import dataclass

MAX_DIALOGUE = 32


@dataclass(frozen=True, slots=True)
class FrameRef:
    """A frame by reference: the engine and the store know its pixels under `uuid`."""

    uuid: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One committed turn. `time_ms` is model time; `queries` are the user's lines that were new in it."""

    sequence: int
    time_ms: int
    frames: tuple[FrameRef, ...]
    reply: str
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One entry of dialogue memory: a question and what was answered to it, with model times in milliseconds."""

    query: str
    asked_ms: int
    answer: str = ""
    answered_ms: int = -1


def remember(dialogue: tuple[Exchange, ...], exchange: Exchange) -> tuple[Exchange, ...]:
    """Append, forgetting the oldest beyond `MAX_DIALOGUE`."""
    return (*dialogue, exchange)[-MAX_DIALOGUE:]
