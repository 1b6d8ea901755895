"""A memory service that writes what a script says, so that tests know each block's words."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from vigil.contract import subjects
from vigil.contract.memory import decode_memory
from vigil.contract.streams import MEMORY_REQUESTS
from vigil.core.memory import MemoryRequest
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import StoreError
from vigil.runtime.store.sessions import SessionStore
from vigil.v1 import memory_pb2 as pb

_QUEUED = 100


def span_words(request: MemoryRequest) -> str:
    """The exact text of tests: it says which span it is about."""
    return f"{request.kind} of {request.from_ms // 1_000} to {request.to_ms // 1_000}"


class ScriptedMemory:
    """Writes `words(request)` for each request, none where that is empty, once `gate` is set. It answers a question
    with `lines(question)`, and not at all where that is None.

    `requests` are those that came, `written` the ids of the blocks that the store took, `questions` what was asked.
    """

    def __init__(self, bus: Bus, store: SessionStore, words: Callable[[MemoryRequest], str] = span_words) -> None:
        self.words = words
        self.lines: Callable[[str], Sequence[str] | None] = lambda _: ()
        self.requests: list[MemoryRequest] = []
        self.written: list[str] = []
        self.questions: list[pb.RecallRequest] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._bus = bus
        self._store = store

    @asynccontextmanager
    async def working(self) -> AsyncIterator["ScriptedMemory"]:
        """Write and answer for as long as the block runs."""
        async with asyncio.TaskGroup() as tasks:
            works = [tasks.create_task(self._write_all(tasks)), tasks.create_task(self._answer_all())]
            try:
                yield self
            finally:
                for work in works:
                    work.cancel()
                self.gate.set()

    async def _write_all(self, tasks: asyncio.TaskGroup) -> None:
        async with self._bus.consume(MEMORY_REQUESTS, "memory", subjects.ALL_MEMORY_REQUESTS) as requests:
            async for message in requests:
                await message.ack()
                request = decode_memory(message.payload)
                self.requests.append(request)
                tasks.create_task(self._write(request))

    async def _write(self, request: MemoryRequest) -> None:
        await self.gate.wait()
        words = self.words(request)
        if not words:
            return
        try:
            await self._store.write_block(request.key, request.block(words))
        except StoreError:  # the session is over
            return
        self.written.append(request.id)

    async def _answer_all(self) -> None:
        async with self._bus.subscribe(subjects.ALL_MEMORY_RECALLS, _QUEUED, "memory") as questions:
            async for message in questions:
                asked = pb.RecallRequest.FromString(message.payload)
                self.questions.append(asked)
                lines = self.lines(asked.question)
                if lines is not None:
                    found = pb.RecallResponse(lines=[pb.RecalledLine(text=line, kind="block") for line in lines])
                    await self._bus.answer(message, found.SerializeToString())
