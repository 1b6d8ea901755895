"""The guard around any engine, with an engine and a clock of this process."""

from collections.abc import AsyncGenerator

import pytest

from vigil_tts.synthesizers.checked import CheckedSynthesizer, Patience
from vigil_tts.synthesizers.port import Sound, SpeakingVoice, SynthesizerError, Task

TASK = Task("A man is at the door.")


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.s = 0.0

    def now_s(self) -> float:
        return self.s


class Trickling:
    """An engine that sends a sample each 1.9 s, so many times."""

    def __init__(self, clock: Clock, samples: int) -> None:
        self._clock = clock
        self._samples = samples

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        for _ in range(self._samples):
            self._clock.s += 1.9
            yield Sound(b"\1\0", 8_000)

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        return ()


async def test_an_engine_that_trickles_is_given_up() -> None:
    clock = Clock()
    checked = CheckedSynthesizer(Trickling(clock, 1_000_000), Patience(), 1, clock.now_s)
    with pytest.raises(SynthesizerError, match="had not ended after") as caught:
        async for _ in checked.speak(TASK):
            pass
    assert caught.value.kind == "timeout"
    assert clock.s < 30, "longer than a sentence can sound"


async def test_a_listener_may_take_its_time() -> None:
    clock = Clock()
    checked = CheckedSynthesizer(Trickling(clock, 3), Patience(), 1, clock.now_s)
    heard = 0
    async for _ in checked.speak(TASK):
        clock.s += 1_000
        heard += 1
    assert heard == 3
