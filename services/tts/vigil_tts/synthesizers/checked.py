"""A guard around any engine: bounded times, bounded sound, and one that is plausible for the text."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from vigil.runtime.process.logs import get_log
from vigil_tts import metrics
from vigil_tts.synthesizers.port import Sound, SpeakingVoice, Synthesizer, SynthesizerError, Task

MAX_SOUND_S = 3.0  # of any text, and
MAX_CHAR_S = 0.5  # for each character more: a longer sound has no end
SLOW_CHARS, FAST_CHARS = 4.0, 40.0  # a second; Chinese is read at 4 to 6, English at 12 to 20
MIN_JUDGED_CHARS = 20

log = get_log()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for the first sound of a sentence, and for each piece after it (seconds)."""

    first_s: float = 4.0
    next_s: float = 2.0


class CheckedSynthesizer:
    """Asks `engine`, at most `places` texts at a time: more wait, as they would at the engine. Raises
    `SynthesizerError` when it is slow, falls silent, does not end, sends no sound, another rate in the middle, or sound
    without end."""

    def __init__(
        self, engine: Synthesizer, patience: Patience, places: int, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._patience = patience
        self._places = asyncio.Semaphore(places)
        self._now_s = now_s

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """See `Synthesizer`. There is sound, or an error."""
        begun = self._now_s()
        try:
            async with self._places:
                async for sound in self._checked(task, begun):
                    yield sound
        except SynthesizerError as error:
            metrics.ENGINE_FAILURES.labels(error.kind).inc()
            raise

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """See `Synthesizer`."""
        try:
            async with asyncio.timeout(self._patience.first_s):
                return await self._engine.voices()
        except TimeoutError:
            raise SynthesizerError("the speech engine did not tell its voices in time", "timeout") from None

    async def _checked(self, task: Task, begun: float) -> AsyncGenerator[Sound, None]:
        most_s = MAX_SOUND_S + MAX_CHAR_S * len(task.text) / task.speed
        seconds, waited_s, rate_hz = 0.0, 0.0, 0
        async with aclosing(self._engine.speak(task)) as pieces:
            asked_s = self._now_s()
            while (sound := await self._next(pieces, is_first=not rate_hz)) is not None:
                waited_s += self._now_s() - asked_s
                if waited_s > self._patience.first_s + most_s:
                    raise SynthesizerError(f"the speech engine had not ended after {waited_s:.0f} s", "timeout")
                if not rate_hz:
                    metrics.FIRST_SOUND_SECONDS.observe(self._now_s() - begun)
                elif sound.sample_rate_hz != rate_hz:
                    raise SynthesizerError("the speech engine changed its sample rate in the middle", "invalid")
                rate_hz = sound.sample_rate_hz
                seconds += sound.seconds
                if seconds > most_s:
                    raise SynthesizerError(f"the speech engine sent more than {most_s:.0f} s of sound", "endless")
                yield sound
                asked_s = self._now_s()  # what the listener takes is not the engine's
        if not rate_hz:
            raise SynthesizerError("the speech engine ended without a sound", "empty")
        metrics.SOUND_SECONDS.inc(seconds)
        metrics.SYNTHESIS_SECONDS.inc(self._now_s() - begun)
        _judge(task, seconds, rate_hz)

    async def _next(self, pieces: AsyncIterator[Sound], *, is_first: bool) -> Sound | None:
        limit_s = self._patience.first_s if is_first else self._patience.next_s
        timer = asyncio.timeout(limit_s)
        try:
            async with timer:
                return await anext(pieces, None)
        except TimeoutError:
            if not timer.expired():
                raise
            reason = f"the speech engine gave no {'' if is_first else 'more '}sound for {limit_s:g} s"
            raise SynthesizerError(reason, "timeout" if is_first else "silent") from None


def _judge(task: Task, seconds: float, rate_hz: int) -> None:
    """Count sound that is far too fast or too slow for its text: nothing else shows that a rate is set wrong."""
    if len(task.text) < MIN_JUDGED_CHARS:
        return
    pace = len(task.text) / seconds / task.speed
    is_slow, is_fast = pace < SLOW_CHARS / 2, pace > FAST_CHARS
    if is_slow or is_fast:
        metrics.IMPLAUSIBLE.inc()
        log.warning(
            "speech pace doubted",
            chars_per_s=round(pace, 1),
            sample_rate_hz=rate_hz,
            hint="check VIGIL_TTS_RATE_HZ against the speech engine's own rate",
        )
