"""A session's sound from outside: what its WebSocket tells, and a microphone that speaks to it in real time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from system import Rest

from vigil.core.sound import SAMPLE_RATE_HZ, chunk_bytes
from vigil_client.sound import SoundEvent, SpokenSound, read_binary, read_text

CHUNK_MS = 40
SOON_S = 60.0


@dataclass(slots=True)
class Talk:
    """`told` is all that came so far, each with when it came (seconds of the monotonic clock)."""

    socket: aiohttp.ClientWebSocketResponse
    told: list[tuple[float, SoundEvent]] = field(default_factory=list)
    _accepted: asyncio.Event = field(default_factory=asyncio.Event)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        """Take what comes, until the connection ends."""
        async for message in self.socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._take(read_binary(message.data))
            elif json.loads(message.data)["type"] == "accepted":
                self._accepted.set()
            elif (event := read_text(message.data)) is not None:
                self._take(event)

    def _take(self, event: SoundEvent) -> None:
        self.told.append((time.monotonic(), event))
        self._news.set()

    async def wait_for(
        self, wanted: Callable[[SoundEvent], bool], since: int = 0, deadline_s: float = SOON_S
    ) -> tuple[float, SoundEvent]:
        """The first event from the number `since` on that is `wanted`, and when it came. Raises `TimeoutError`."""
        async with asyncio.timeout(deadline_s):
            while True:
                self._news.clear()
                for at, event in self.told[since:]:
                    if wanted(event):
                        return at, event
                await self._news.wait()

    async def opens_microphone(self) -> None:
        """From now on sound may be sent."""
        await self.socket.send_json({"type": "microphone", "sample_rate_hz": SAMPLE_RATE_HZ, "is_addressed": False})
        async with asyncio.timeout(SOON_S):
            await self._accepted.wait()

    async def says(self, pcm: bytes) -> None:
        """Send sound as a microphone records it."""
        due_s = time.monotonic()
        for begin in range(0, len(pcm), chunk_bytes(CHUNK_MS)):
            due_s += CHUNK_MS / 1_000
            await asyncio.sleep(due_s - time.monotonic())
            await self.socket.send_bytes(pcm[begin : begin + chunk_bytes(CHUNK_MS)])

    async def speech(self, since: int = 0) -> tuple[bytes, int]:
        """The next words that are spoken to their end: samples and their rate."""
        await self.wait_for(lambda event: isinstance(event, SpokenSound) and event.is_last, since)
        pieces = [event for _, event in self.told[since:] if isinstance(event, SpokenSound)]
        return b"".join(piece.pcm for piece in pieces), pieces[0].sample_rate_hz


@asynccontextmanager
async def talking(gateway: Rest, session: str) -> AsyncIterator[Talk]:
    """Hear a session as long as the block runs."""
    async with gateway.http.ws_connect(f"{gateway.url}/v1/sessions/{session}/audio") as socket:
        talk = Talk(socket)
        reading = asyncio.create_task(talk.read())
        try:
            yield talk
        finally:
            reading.cancel()
            await asyncio.wait({reading})
