"""Prompts, pictures and requests of a quiet session, for tests of what talks to an engine."""

from collections.abc import Mapping

from vigil.core.message import Message
from vigil.core.profile import VIGIL_SMALL
from vigil.core.prompt import prompt
from vigil.core.session import Chunk
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.engine.client import EngineRequest
from vigil.testing.images import busy_jpeg

WIDTH, HEIGHT = 160, 96


def frame(number: int) -> FrameRef:
    """The frame of turn `number`."""
    return FrameRef(f"frame-{number}", WIDTH, HEIGHT)


def picture(number: int) -> bytes:
    """Its pixels: every number has its own."""
    return busy_jpeg(number, (WIDTH, HEIGHT))


def messages(turns: int) -> tuple[Message, ...]:
    """The prompt of turn number `turns`, after that many silent ones."""
    past = tuple(Turn(number, number * 1000, (frame(number),), "</silence>") for number in range(turns))
    new = Turn(turns, turns * 1000, (frame(turns),), "")
    return prompt(VIGIL_SMALL, Chunk(turns=past), new)


def request(turns: int, deadline_s: float = 5.0) -> EngineRequest:
    """The request of turn number `turns`: only the newest picture travels."""
    return EngineRequest(messages(turns), {frame(turns).uuid: picture(turns)}, max_tokens=48, deadline_s=deadline_s)


class Pixels:
    """A `resend` that has the pixels of the first `kept` frames; counts how often it is asked."""

    def __init__(self, kept: int) -> None:
        self._pixels = {frame(number).uuid: picture(number) for number in range(kept)}
        self.asked: list[set[str]] = []

    async def __call__(self, uuids: set[str]) -> Mapping[str, bytes]:
        self.asked.append(uuids)
        return {uuid: self._pixels[uuid] for uuid in uuids if uuid in self._pixels}
