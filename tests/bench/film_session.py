"""A session that watches a film faster than the clock, as interaction would: the pure core plans its turns, the memory
service writes its blocks and recalls, and whatever it keeps is in Redis.

Nothing stands in it, so it is silent and no engine is asked for its turns. A question is asked of the session as it is
at that second, in several ways, and leaves no trace.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from memory_world import LEAD_TURNS, ORIGIN_US

from bench.film import SIZE, Question, Shown
from bench.load_plan import TENANT
from vigil.contract.memory import memory_outgoing
from vigil.core.command import Ask
from vigil.core.consolidation import Asking
from vigil.core.control import SILENCE
from vigil.core.decide import Completion, Infer, Percept, Settled, decide, settle
from vigil.core.memory import Block, Memory, MemoryLimits, MemoryRequest
from vigil.core.message import Message, Text
from vigil.core.profile import VIGIL_SMALL
from vigil.core.prompt import Asked
from vigil.core.recall import MAX_CHARS, MAX_LINES, recalled_lines
from vigil.core.session import Chunk, SessionSpec, SessionState, Window
from vigil.core.source import Source, SourceKind
from vigil.core.turn import FrameRef
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.recall import recall
from vigil.runtime.engine.client import Engine, EngineRequest
from vigil.runtime.engine.errors import EngineError
from vigil.runtime.errors import BusError
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.v1 import memory_pb2 as pb
from vigil_interaction.archiving import archived, key_frames

LAST_FRAMES = 4
CHUNK_TURNS = LEAD_TURNS + 40  # so that a summary is of 40 seconds, which the small model was taught
_FENCE = 1
_SILENT = Completion(SILENCE, {})
_BLOCK_S = 120.0  # what a block may take
_RECALL_S = 10.0
_ANSWER_S = 600.0
_POLL_S = 0.01


class Mode(StrEnum):
    """What a question is asked with."""

    RECALL = "recall"  # memory in the prompt's prefix, and what is recalled with the question
    MEMORY = "memory"  # memory in the prefix alone
    NEITHER = "neither"  # the raw turns of the chunk alone
    LAST_FRAMES = "last 4 frames"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said. `is_held` says that the prompt told of it, or showed how it began."""

    question: Question
    mode: Mode
    text: str
    is_held: bool


@dataclass(slots=True)
class FilmSession:
    """`failed` are the ids of blocks that the memory service gave up, which its owner fills."""

    store: SessionStore
    bus: Bus
    engine: Engine
    film: Shown
    name: str
    failed: set[str] = field(default_factory=set)
    state: SessionState = field(default_factory=SessionState)
    blocks: int = 0
    _last: Asked | None = None
    _waiting: tuple[Block, ...] = ()
    _sent: set[str] = field(default_factory=set)

    @property
    def spec(self) -> SessionSpec:
        """What it is asked to be. Few summaries are merged at once, which the small model was taught."""
        source = Source(f"cam-{self.name}", SourceKind.PUSHED)
        limits = MemoryLimits(is_on=True, mid_blocks=3)
        model, window = self.engine.config.model, Window(CHUNK_TURNS)
        return SessionSpec(TENANT, self.name, source, VIGIL_SMALL.name, model, window=window, memory=limits)

    async def begin(self) -> None:
        """It is there, and nobody else works on it."""
        await self.store.create(self.spec)
        await self.store.take(self.spec.key, _FENCE)

    async def see(self, second: int) -> None:
        """The turn of a second, and the blocks that it asks for."""
        before = self.state
        planned, infer = self._decided(self.spec, before, self._percept(second), self._last)
        asking = Asking(LEAD_TURNS, time.time_ns() // 1_000)
        settled = settle(self.spec, VIGIL_SMALL, planned, infer, _SILENT, asking)
        self.state, self._last = settled.state, Asked(planned.chunk, infer.messages)
        if infer.restart:
            await self._cross(before, settled)
        if settled.memory_requests:
            await self._remember(settled.memory_requests)

    async def ask(self, question: Question, mode: Mode) -> Answer:
        """Ask in one way, of the second that comes next. Raises `RuntimeError` when nobody answers."""
        try:
            return await self._asked(question, mode)
        except (EngineError, BusError) as error:
            raise RuntimeError(
                f"{self.name}: the question of second {question.second} got no answer: {error}"
            ) from error

    async def _asked(self, question: Question, mode: Mode) -> Answer:
        lines = await self._recalled(question) if mode is Mode.RECALL else ()
        state, spec = self._shown(mode)
        seen = replace(self._percept(question.second), commands=(Ask("q", question.text),), recalled=lines)
        planned, infer = self._decided(spec, state, seen, None)
        is_shown = any(turn.time_ms <= question.about.second * 1_000 for turn in planned.chunk.turns)
        is_held = is_shown or question.about.is_told(_text_of(infer.messages))
        return Answer(question, mode, await self._answered(infer.messages), is_held)

    def _shown(self, mode: Mode) -> tuple[SessionState, SessionSpec]:
        """The session of which a question is asked in this way."""
        if mode in (Mode.RECALL, Mode.MEMORY):
            return self.state, self.spec
        turns = self.state.chunk.turns
        if mode is Mode.LAST_FRAMES:
            turns = turns[1 - LAST_FRAMES :]
        chunk = Chunk(self.state.chunk.number, (), turns, self.state.chunk.began_at)
        memory = Memory(forgotten_ms=self.state.memory.end_ms)
        return replace(self.state, chunk=chunk, memory=memory), replace(self.spec, memory=MemoryLimits())

    def _percept(self, second: int) -> Percept:
        frame = FrameRef(self._uuid(second), *SIZE)
        return Percept(second * 1_000, ORIGIN_US + second * 1_000_000, (frame,), blocks=self._waiting)

    def _decided(
        self, spec: SessionSpec, state: SessionState, seen: Percept, last: Asked | None
    ) -> tuple[SessionState, Infer]:
        planned, infer = decide(spec, VIGIL_SMALL, state, seen, last)
        if infer is None:
            raise RuntimeError(f"no turn at {seen.time_ms} ms")
        return planned, infer

    async def _cross(self, before: SessionState, settled: Settled) -> None:
        """The first turn of a chunk, with what entered the archive."""
        entries = archived(before, settled.state)
        await self._commit(
            Commit(
                settled.state,
                settled.state.chunk.turns[-1],
                restart=True,
                frames=self._frames(settled.state),
                consumed_blocks=settled.consumed_blocks,
                archived=entries,
                key_frames=key_frames(entries),
            )
        )

    async def _remember(self, requests: tuple[MemoryRequest, ...]) -> None:
        """Have blocks written, and wait for them as the clock would have: far longer than they take."""
        await self._commit(Commit(self.state, restart=True, frames=self._frames(self.state)))
        for request in requests:
            await self.bus.publish_stored(memory_outgoing(request))
        wanted = {request.id for request in requests}
        self.blocks += len(wanted)
        deadline = time.monotonic() + _BLOCK_S
        while not wanted <= {block.id for block in self._waiting} | self.failed:
            if time.monotonic() > deadline:
                raise RuntimeError(f"not written within {_BLOCK_S:g} s: {', '.join(sorted(wanted))}")
            await asyncio.sleep(_POLL_S)
            self._waiting = (await self.store.look(self.spec.key)).waiting.blocks
        self.failed.clear()

    async def _commit(self, commit: Commit) -> None:
        self._waiting = (await self.store.commit(self.spec.key, _FENCE, commit)).blocks

    async def _recalled(self, question: Question) -> tuple[str, ...]:
        """As interaction asks for it."""
        turns = self.state.chunk.turns
        request = pb.RecallRequest(
            tenant=self.spec.tenant,
            session=self.spec.session,
            question=question.text,
            time_ms=question.second * 1_000,
            origin_us=ORIGIN_US,
            max_lines=MAX_LINES,
            max_chars=MAX_CHARS,
            known_from_ms=turns[0].time_ms if turns else question.second * 1_000,
        )
        found = await recall(self.bus, request, _RECALL_S)
        return recalled_lines(line.text for line in found.lines)

    async def _answered(self, messages: tuple[Message, ...]) -> str:
        asked = EngineRequest(messages, {}, VIGIL_SMALL.max_tokens, _ANSWER_S, model=self.spec.model)
        fresh = {uuid: self._jpeg(uuid) for uuid in asked.uuids() - self._sent}
        self._sent |= set(fresh)
        completion = await self.engine.complete(replace(asked, fresh=fresh), self._resend)
        return VIGIL_SMALL.spelling.read(completion.text).text

    async def _resend(self, uuids: set[str]) -> Mapping[str, bytes]:
        return {uuid: self._jpeg(uuid) for uuid in uuids}

    def _frames(self, state: SessionState) -> tuple[tuple[str, bytes], ...]:
        return tuple((frame.uuid, self._jpeg(frame.uuid)) for frame in state.chunk.frames)

    def _uuid(self, second: int) -> str:
        return f"{self.name}-{second}"

    def _jpeg(self, uuid: str) -> bytes:
        return self.film.jpeg(int(uuid.rpartition("-")[2]))


def _text_of(messages: tuple[Message, ...]) -> str:
    return "\n".join(part.text for message in messages for part in message.parts if isinstance(part, Text))
