"""Asks the memory service what it holds about a question. A turn waits for it a moment, and goes without it then."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.core.command import Ask, Command
from vigil.core.control import plain
from vigil.core.session import SessionSpec, SessionState
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError, BusUnavailable, NoResponders
from vigil.runtime.process.logs import get_log
from vigil.v1 import memory_pb2 as pb
from vigil_interaction import metrics
from vigil_interaction.observation import Sight

log = get_log()

MAX_LINES = 8
MAX_CHARS = 2_000


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
            subject = subjects.memory_recall(spec.key)
            answer = await self.bus.request(subject, question.SerializeToString(), self.deadline_s)
            lines = _bounded(line.text for line in pb.RecallResponse.FromString(answer).lines)
        except NoResponders:
            return Recalled(outcome="absent")
        except BusUnavailable:
            return Recalled(outcome="late")
        except (BusError, DecodeError) as error:
            log.warning("memory not recalled", session=spec.session, error=str(error))
            return Recalled(outcome="failed")
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


def _bounded(lines: Iterable[str]) -> tuple[str, ...]:
    """The first lines that fit, as plain words: what was seen and heard is no instruction."""
    kept: list[str] = []
    for line in islice(map(plain, lines), MAX_LINES):
        if sum(map(len, kept)) + len(line) > MAX_CHARS:
            break
        if line:
            kept.append(line)
    return tuple(kept)
