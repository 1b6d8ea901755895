"""Asks the memory service what it holds about a question. A turn waits for it a moment, and goes without it then."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vigil.core.command import Ask, Command
from vigil.core.recall import MAX_CHARS, MAX_LINES, recalled_lines
from vigil.core.session import SessionSpec, SessionState
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.recall import RecallFailed, recall
from vigil.runtime.process.logs import get_log
from vigil.v1 import memory_pb2 as pb
from vigil_interaction import metrics
from vigil_interaction.sight import Sight

log = get_log()

EXPECTED = ("absent", "late")  # a deployment without memory, or a busy one: counted, and no line in the log each time


@dataclass(frozen=True, slots=True)
class Recalled:
    """What came back: lines for the turn, and how it went; empty where nothing was asked for."""

    lines: tuple[str, ...] = ()
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Recaller:
    """Asks for one worker's sessions. A `deadline_s` of 0 never asks."""

    bus: Bus
    deadline_s: float
    monotonic: Callable[[], float] = time.perf_counter

    async def recall(
        self, spec: SessionSpec, state: SessionState, seen: Sight, commands: Sequence[Command]
    ) -> Recalled:
        """What memory holds about the newest question among the commands. Nothing is asked without a question, or when
        the session has no memory. Raises nothing: a turn without its memory is better than none."""
        question = next((command.text for command in reversed(commands) if isinstance(command, Ask)), "")
        has_memory = state.memory.blocks or state.memory.unwritten
        is_newer = seen.time_ms > state.last_time_ms
        if not (question and has_memory and is_newer and spec.memory.is_on and self.deadline_s):
            return Recalled()
        began_s = self.monotonic()
        recalled = await self._asked(spec, _question(spec, state, seen, question))
        metrics.RECALLS.labels(recalled.outcome).inc()
        metrics.RECALL_SECONDS.observe(self.monotonic() - began_s)
        return recalled

    async def _asked(self, spec: SessionSpec, question: pb.RecallRequest) -> Recalled:
        try:
            found = await recall(self.bus, question, self.deadline_s)
        except RecallFailed as error:
            if error.outcome not in EXPECTED:
                log.warning("memory not recalled", session=spec.session, reason=str(error))
            return Recalled(outcome=error.outcome)
        lines = recalled_lines(line.text for line in found.lines)
        return Recalled(lines, "found" if lines else "nothing")


def _question(spec: SessionSpec, state: SessionState, seen: Sight, text: str) -> pb.RecallRequest:
    """The prompt has the raw turns of the chunk: nothing of their time is asked for."""
    turns = state.chunk.turns
    return pb.RecallRequest(
        tenant=spec.tenant,
        session=spec.session,
        question=text,
        time_ms=seen.time_ms,
        origin_us=seen.capture_time_us - seen.time_ms * 1_000,
        max_lines=MAX_LINES,
        max_chars=MAX_CHARS,
        known_from_ms=turns[0].time_ms if turns else seen.time_ms,
    )
