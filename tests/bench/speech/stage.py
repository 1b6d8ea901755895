"""What is under test: the usual stack with one worker that hears and one that speaks, each with its embedded engine."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.generator import loading, now_ms
from bench.load_plan import LoadPlan
from bench.processes import Usage, usage
from bench.sampler import Sampler
from bench.sessions import open_sessions
from bench.settings import BenchSettings, EngineKind
from bench.speech.listener import Listener, listening
from bench.stack import Stack, running
from vigil.core.hearing import Hearing, TurnTaking
from vigil.core.voice import Voice
from vigil.runtime.bus.client import Bus, BusConfig

HEARS, TALKS = "s-hears", "s-talks"
OPEN = Hearing(is_on=True, language="en")
WAKE = Hearing(is_on=True, turn_taking=TurnTaking.WAKE, wake_phrase="dear computer", language="en")
PUSH = Hearing(is_on=True, turn_taking=TurnTaking.PUSH, language="en")
SILENT = Voice()
ALOUD = Voice(is_on=True)
_SIZE = (160, 96)
_CLAIM_S = 2.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Stage:
    """The running system, who listens to it, and a connection to publish with."""

    stack: Stack
    listener: Listener
    bus: Bus
    sampler: Sampler
    engines: Sampler

    async def open(self, sessions: Sequence[str], hearing: Hearing, voice: Voice = SILENT) -> None:
        """Open sessions and let workers claim them."""
        await open_sessions(self.stack, self.listener.client, sessions, hearing=hearing, voice=voice)
        await asyncio.sleep(_CLAIM_S)

    def used(self, service: str) -> float:
        """Processor seconds of a worker and of its engine so far."""
        worker = self.stack.workers[f"{service}-1"]
        return worker.usage().cpu_s + sum(used.cpu_s for used in _children(worker.pid))

    def memory(self) -> dict[str, dict[str, Any]]:
        """MiB by process, so far."""
        return self.sampler.memory() | self.engines.memory()


@asynccontextmanager
async def staged(settings: BenchSettings) -> AsyncIterator[Stage]:
    """The system, with one session that hears and one that hears and speaks; both see one picture a second."""
    engine = "real" if settings.engine is EngineKind.REAL else "answering"
    folder = str(settings.speech_folder)
    async with running(settings, "speech", engine=engine) as (stack, sampler), listening(stack.nats.url) as listener:
        await stack.start("asr", variables={"VIGIL_ASR_FOLDER": folder})
        await stack.start("tts", variables={"VIGIL_TTS_FOLDER": folder})
        engines = Sampler(lambda: _engines(stack))
        sampling = asyncio.create_task(engines.run())
        async with Bus.connect(BusConfig(stack.nats.url, "bench speech")) as bus:
            await bus.connected()
            stage = Stage(stack, listener, bus, sampler, engines)
            await stage.open((HEARS,), OPEN)
            await stage.open((TALKS,), OPEN, ALOUD)
            plan = LoadPlan(stack.nats.url, (HEARS, TALKS), now_ms() + 1_000, size=_SIZE, rendered=True)
            try:
                async with loading(plan, stack.folder):
                    yield stage
            finally:
                sampling.cancel()
                await asyncio.wait({sampling})


async def within(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition holds within so many seconds."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:  # noqa: ASYNC110  what others tell has no event
        await asyncio.sleep(_POLL_S)
    return held


def _engines(stack: Stack) -> dict[str, Usage]:
    """The embedded engines, each the only child of its worker."""
    return {f"{name} engine": used for name in ("asr-1", "tts-1") for used in _children(stack.workers[name].pid)}


def _children(pid: int) -> list[Usage]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [usage(int(child)) for child in children]
