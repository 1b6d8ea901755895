"""Sound in which nobody speaks to the session: no question may come of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import numpy as np

from bench.progress import hold, say
from bench.speech.listener import Heard, key_of
from bench.speech.microphone import Microphone, open_microphone
from bench.speech.sounds import LOUDNESS, Samples, framed, music, pcm, pink
from bench.speech.stage import OPEN, PUSH, WAKE, Stage
from vigil.contract.audio import VoiceState
from vigil.core.hearing import Hearing
from vigil.core.sound import SAMPLE_RATE_HZ

_LOOP_S = 20
_END_S = 3.0


@dataclass(frozen=True, slots=True)
class Quiet:
    """What came of so many seconds. `invented`: questions, also those that the session could not take. `voices`: how
    often somebody was thought to speak, `false_starts`: and had not. `became` counts the remarks."""

    sound: str
    turn_taking: str
    seconds: float
    invented: int
    voices: int
    false_starts: int
    became: dict[str, int]

    @property
    def is_held_to_nothing(self) -> bool:
        """A television that an open microphone hears does speak to it."""
        return not (self.sound == "television" and self.turn_taking == "open")


async def quiet(stage: Stage, talk: Sequence[Samples], seconds: float) -> tuple[Quiet, ...]:
    """All at the same time, each in a session of its own. `talk` is what the television says."""
    count = _LOOP_S * SAMPLE_RATE_HZ
    noise = pink(count, 1)
    television = np.concatenate([framed(spoken, 0.4, 0.5) for spoken in talk])
    cases: list[tuple[str, Hearing, Samples]] = [
        ("silence", OPEN, np.zeros(count)),
        ("noise", OPEN, noise * LOUDNESS / np.sqrt((noise**2).mean())),
        ("music", OPEN, music(_LOOP_S, 1)),
        ("television", WAKE, television),
        ("television", PUSH, television),
        ("television", OPEN, television),
    ]
    sessions = [f"s-quiet-{number}" for number in range(len(cases))]
    for session, (_, hearing, _) in zip(sessions, cases, strict=True):
        await stage.open((session,), hearing)
    async with AsyncExitStack() as exits:
        for session, (_, _, sound) in zip(sessions, cases, strict=True):
            microphone = await exits.enter_async_context(open_microphone(stage.listener.client, key_of(session)))
            await exits.enter_async_context(_looped(microphone, pcm(sound)))
        await hold(seconds, "silence, noise, music and a television")
    await asyncio.sleep(_END_S)
    found = tuple(
        _of(name, hearing, seconds, stage.listener.of[session])
        for session, (name, hearing, _) in zip(sessions, cases, strict=True)
    )
    for one in found:
        say(f"{one.sound}, {one.turn_taking}: {one.invented} questions, {one.voices} voices; {one.became}")
    return found


@asynccontextmanager
async def _looped(microphone: Microphone, sound: bytes) -> AsyncIterator[None]:
    async def run() -> None:
        while True:
            await microphone.play(sound)
            await microphone.silent()

    playing = asyncio.create_task(run())
    try:
        yield
    finally:
        playing.cancel()
        await asyncio.wait({playing})


def _of(name: str, hearing: Hearing, seconds: float, heard: Heard) -> Quiet:
    became = Counter(str(final.data["became"]) for final in heard.finals)
    return Quiet(
        sound=name,
        turn_taking=hearing.turn_taking,
        seconds=seconds,
        invented=became["query"] + became["watch"] + became["refused"],
        voices=heard.count(VoiceState.STARTED),
        false_starts=heard.count(VoiceState.FALSE_START),
        became=dict(became),
    )
