"""Shows the engine the coming chunk's prefix before the boundary, beside the ticks and never in their way.

Each session has one warmer, with one request at a time. The sessions of a worker share `slots`, because sessions that
were opened together come to their boundaries together. A newer request replaces one that waits, and a request that was
not sent before the boundary is not sent at all. A failure costs a slower turn and nothing else.
"""

import asyncio

from vigil.core.memory import Block
from vigil.core.prewarm import Warm, warm
from vigil.core.profile import PromptProfile
from vigil.core.session import SessionSpec, SessionState
from vigil.runtime.engine.client import EngineRequest, Resend
from vigil.runtime.engine.errors import EngineError
from vigil.runtime.errors import StoreError
from vigil.runtime.process.logs import get_log
from vigil_interaction import metrics
from vigil_interaction.ports import Engine

log = get_log()


class Warmer:
    """One session's pre-warming. `lead_turns` of 0 turns it off. `run` belongs into the session's task group."""

    def __init__(
        self, engine: Engine, resend: Resend, slots: asyncio.Semaphore, lead_turns: int, deadline_s: float
    ) -> None:
        self._engine = engine
        self._resend = resend
        self._slots = slots
        self._lead_turns = lead_turns
        self._deadline_s = deadline_s
        self._last: Warm | None = None
        self._due: Warm | None = None
        self._wake = asyncio.Event()

    def committed(
        self, spec: SessionSpec, profile: PromptProfile, state: SessionState, blocks: tuple[Block, ...] = ()
    ) -> None:
        """Look at the state after a turn: there may be something to warm, and what waits may be too late. `blocks` of
        memory wait for the next chunk, which will begin with them."""
        if self._due is not None and self._due.chunk <= state.chunk.number:
            self._due = None
            metrics.PREWARMS.labels("too_late").inc()
        due = warm(spec, profile, state, self._last, self._lead_turns, blocks)
        if due is not None:
            self._last = self._due = due
            self._wake.set()

    async def run(self) -> None:
        """Ask the engine for what is due, until cancelled."""
        while True:
            await self._wake.wait()
            async with self._slots:
                self._wake.clear()
                due, self._due = self._due, None
                if due is not None:
                    await self._ask(due)

    async def _ask(self, due: Warm) -> None:
        request = EngineRequest(due.messages, {}, max_tokens=1, deadline_s=self._deadline_s)
        try:
            completion = await self._engine.complete(request, self._resend)
        except (EngineError, StoreError) as error:
            metrics.PREWARMS.labels("failed").inc()
            log.warning("chunk not pre-warmed", chunk=due.chunk, error=str(error))
            return
        metrics.PREWARMS.labels("ok").inc()
        metrics.PREWARM_TOKENS.inc(max(0, completion.prompt_tokens - completion.cached_tokens))
