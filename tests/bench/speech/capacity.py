"""How many sessions one worker hears at once before their transcripts come late."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench.progress import say
from bench.sessions import end_sessions, names
from bench.settings import BenchSettings
from bench.speech.listener import key_of
from bench.speech.microphone import Microphone, open_microphone
from bench.speech.recognition import AFTER_S, BEFORE_S, take
from bench.speech.sounds import Samples, framed
from bench.speech.stage import WAKE, Stage
from bench.statistics import Spread, spread

EVERY_S = 6.0
_LEAST_HEARD = 0.95


@dataclass(frozen=True, slots=True)
class Step:
    """So many sessions, each of which is spoken to every six seconds. `late` sentences had no final transcript."""

    sessions: int
    sentences: int
    late: int
    final_s: Spread | None
    cores: float


def is_sustained(step: Step, limit_s: float) -> bool:
    """Whether nearly every sentence was understood in time. Pure."""
    heard = 1 - step.late / step.sentences
    return step.final_s is not None and step.final_s.p95 <= limit_s and heard >= _LEAST_HEARD


async def capacity(stage: Stage, spoken: Sequence[Samples], settings: BenchSettings) -> tuple[Step, ...]:
    """Steps until one is not sustained, which is the last."""
    steps: list[Step] = []
    for sessions in settings.speech_steps:
        steps.append(await _step(stage, spoken, settings, sessions))
        step = steps[-1]
        found = "nothing" if step.final_s is None else f"p95 {step.final_s.p95:.2f} s"
        say(f"{sessions} sessions: final {found}, {step.late} of {step.sentences} late, {step.cores:.2f} cores of asr")
        if not is_sustained(step, settings.speech_limit_s):
            break
    return tuple(steps)


async def _step(stage: Stage, spoken: Sequence[Samples], settings: BenchSettings, count: int) -> Step:
    sessions = tuple(f"{name}-of-{count}" for name in names(count))
    await stage.open(sessions, WAKE)
    rounds = max(1, round(settings.speech_hold_s / EVERY_S))
    used_s, began_s = stage.used("asr"), asyncio.get_running_loop().time()
    async with AsyncExitStack() as exits, asyncio.TaskGroup() as group:
        speaking = []
        for number, session in enumerate(sessions):
            microphone = await exits.enter_async_context(open_microphone(stage.listener.client, key_of(session)))
            turns = [spoken[(number + turn) % len(spoken)] for turn in range(rounds)]
            offset_s = number * EVERY_S / count
            speaking.append(group.create_task(_spoken_to(stage, (session, microphone), turns, offset_s)))
        await asyncio.gather(*speaking)
    cores = (stage.used("asr") - used_s) / (asyncio.get_running_loop().time() - began_s)
    await end_sessions(stage.stack, stage.listener.client, sessions)
    finals = [final_s for task in speaking for final_s in task.result()]
    there = [final_s for final_s in finals if final_s is not None]
    late = len(finals) - len(there)
    return Step(count, len(finals), late, spread(there) if there else None, round(cores, 2))


async def _spoken_to(
    stage: Stage, where: tuple[str, Microphone], turns: Sequence[Samples], offset_s: float
) -> list[float | None]:
    """Seconds from the end of each sentence to its final transcript."""
    session, microphone = where
    loop, heard, found = asyncio.get_running_loop(), stage.listener.of[session], list[float | None]()
    due_s = loop.time() + offset_s
    for sound in turns:
        await asyncio.sleep(due_s - loop.time())
        due_s += EVERY_S
        found.append((await take(microphone, heard, ("", ""), framed(sound, BEFORE_S, AFTER_S))).final_s)
    return found
