"""A stand-in for the memory's summariser, on the engine that ticks use: it asks for one summary after the other.

The tick waits for no summary, so one that takes long or fails can cost it the engine's time and nothing else. This
takes all that one summariser can.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from bench.pictures import scenes
from bench.stack import EngineAt
from vigil.core.message import Image, Message, Text
from vigil.core.prompt import time_marker
from vigil.core.turn import FrameRef
from vigil.runtime.engine.wire import completion_body

_PROMPT = "Summarise the frames."
_FRAMES = 12  # of a chunk, as the small model was taught
_TOKENS = 128
_CALL_S = 120.0
_JSON = {"Content-Type": "application/json"}


@dataclass(slots=True)
class Summaries:
    """How long each summary took, and how many were refused."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0


@asynccontextmanager
async def summarising(engine: EngineAt, size: tuple[int, int]) -> AsyncIterator[Summaries]:
    """One summary at a time, of pictures that the engine has not seen, for as long as the block lasts.

    Raises `aiohttp.ClientError` at the end when the engine was not there to be asked.
    """
    found = Summaries()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_CALL_S)) as http:
        asking = asyncio.create_task(_ask(http, engine, size, found))
        try:
            yield found
        finally:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asking


async def _ask(http: aiohttp.ClientSession, engine: EngineAt, size: tuple[int, int], found: Summaries) -> None:
    frames = scenes(_FRAMES, size)
    for number in itertools.count():
        body = _body(engine.model, frames, number)
        began_s = time.monotonic()
        async with http.post(f"{engine.url}/v1/chat/completions", data=body, headers=_JSON) as answer:
            await answer.read()
            if answer.status == 200:
                found.seconds.append(time.monotonic() - began_s)
            else:
                found.failed += 1


def _body(model: str, frames: list[bytes], number: int) -> bytes:
    """The request of summary ``number``: its times and the names of its pictures are its own, so no cache has it."""
    pixels = {f"summary-{number}-{index}": frame for index, frame in enumerate(frames)}
    parts: list[Text | Image] = [Text(f"{_PROMPT}\n")]
    for index, uuid in enumerate(pixels):
        parts += [Text(f"{time_marker((number * _FRAMES + index) * 1000)}\n"), Image(FrameRef(uuid, 0, 0))]
    messages = (Message("user", tuple(parts)),)
    return completion_body(model, messages, pixels, max_tokens=_TOKENS, logit_bias={}, regex="")
