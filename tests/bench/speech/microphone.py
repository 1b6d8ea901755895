"""A microphone on the bus: sound leaves it as it is recorded, in real time, with silence in between."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from nats.aio.client import Client

from vigil.contract import subjects
from vigil.contract.audio import AudioChunk, encode_audio
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey
from vigil.core.sound import SAMPLE_RATE_HZ, chunk_bytes

_CHUNK_MS = 40
_MOST_LATE_S = 0.5  # of what a machine that stood still would have recorded, more is lost
_SILENCE = bytes(chunk_bytes(_CHUNK_MS))


@dataclass(slots=True)
class Microphone:
    """Of one session. What is played is heard from the next chunk on, one thing after the other."""

    client: Client
    key: SessionKey
    stream: str
    _pending: bytearray = field(default_factory=bytearray)
    _begun: asyncio.Event = field(default_factory=asyncio.Event)
    _begun_us: int = 0
    _silent: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, pcm: bytes) -> int:
        """Record this next, from now on; when its first sample was heard, in microseconds since the epoch. Returns as
        soon as it begins."""
        self._begun.clear()
        self._silent.clear()
        self._pending += pcm
        await self._begun.wait()
        return self._begun_us

    async def silent(self) -> None:
        """Wait until all was recorded."""
        await self._silent.wait()

    async def run(self) -> None:
        """Record for ever."""
        due_s, subject = time.time(), subjects.audio_in(self.key)
        for sequence in itertools.count():
            due_s = max(due_s + _CHUNK_MS / 1_000, time.time() - _MOST_LATE_S)
            await asyncio.sleep(due_s - time.time())
            begin_us = round(due_s * 1_000_000) - _CHUNK_MS * 1_000
            chunk = AudioChunk(self.key, Origin.MICROPHONE, self.stream, sequence, begin_us, self._next(begin_us))
            await self.client.publish(subject, encode_audio(chunk))

    def _next(self, begin_us: int) -> bytes:
        """The next chunk. The first one of what is played says when that began."""
        if not self._pending:
            self._silent.set()
            return _SILENCE
        if not self._begun.is_set():
            self._begun_us = begin_us
            self._begun.set()
        chunk = bytes(self._pending[: len(_SILENCE)])
        del self._pending[: len(_SILENCE)]
        return chunk.ljust(len(_SILENCE), b"\0")


@asynccontextmanager
async def open_microphone(client: Client, key: SessionKey) -> AsyncIterator[Microphone]:
    """One that records as long as the block runs."""
    microphone = Microphone(client, key, f"mic-{key.session}")
    recording = asyncio.create_task(microphone.run())
    try:
        yield microphone
    finally:
        recording.cancel()
        await asyncio.wait({recording})


def after_us(begun_us: int, sample: int) -> int:
    """When that sample of what is played is heard."""
    return begun_us + sample * 1_000_000 // SAMPLE_RATE_HZ
