"""Asks the judge about the pauses of one ear. Nothing waits for an answer: one that comes too late is not used."""

import asyncio
import time

from vigil.core.sound import BYTES_PER_S
from vigil.runtime.process.logs import get_log
from vigil_asr import metrics
from vigil_asr.ear import Ear, EarEvent, Paused, PauseOver
from vigil_asr.end_of_turn.port import JudgeFailed, TurnJudge

HEARD_S = 8  # the end of a remark, which a judge is given

log = get_log()


class Asking:
    """For one ear, which is told what the judge says. `close` it when no more is heard."""

    def __init__(self, ear: Ear, judge: TurnJudge | None) -> None:
        self._ear = ear
        self._judge = judge
        self._task: asyncio.Task[None] | None = None

    def happened(self, event: EarEvent) -> None:
        """Ask when the ear says that somebody pauses; stop asking when the pause is over."""
        match event:
            case Paused(number, sound) if self._judge is not None:
                pcm = sound.read(max(0, sound.length - HEARD_S * BYTES_PER_S))
                self._task = asyncio.create_task(self._ask(self._judge, number, pcm))
            case PauseOver(outcome):
                metrics.PAUSES.labels(outcome).inc()
                self._stop()

    async def close(self) -> None:
        """Ask no more."""
        if task := self._stop():
            await asyncio.gather(task, return_exceptions=True)

    def _stop(self) -> asyncio.Task[None] | None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
        return task

    async def _ask(self, judge: TurnJudge, number: int, pcm: bytes) -> None:
        began_s = time.monotonic()
        try:
            probability = await judge.complete(pcm)
        except JudgeFailed as error:
            log.warning("pause not judged", reason=str(error))
            self._ear.judged(number, None)
            return
        metrics.JUDGE_SECONDS.observe(time.monotonic() - began_s)
        self._ear.judged(number, probability)
