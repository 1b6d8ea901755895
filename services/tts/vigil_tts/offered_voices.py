"""The voices that this worker says it has, in its heartbeats: clients list them."""

import asyncio
from collections.abc import Iterable

from vigil.core.errors import InvalidSpec
from vigil.core.voice import Voice
from vigil.runtime.placement.leases import Offer
from vigil.runtime.process.logs import get_log
from vigil_tts.synthesizers.port import SpeakingVoice, Synthesizer, SynthesizerError

MAX_VOICES = 64  # that are named; a session may have any other that the engine knows
ASK_EVERY_S = 30.0  # seldom: an engine's voices hardly change
RETRY_S = 2.0  # until it has answered once

log = get_log()


class OfferedVoices:
    """What the engine told last; nothing until it has told once, and as before while it does not answer."""

    def __init__(self, engine: Synthesizer, capacity: int) -> None:
        self._engine = engine
        self._capacity = capacity
        self._names: tuple[str, ...] | None = None

    def __call__(self, held: int) -> Offer:
        """The next heartbeat of a worker that holds so many sessions."""
        return Offer(self._capacity, models=self._names or ())

    async def run(self) -> None:
        """Ask the engine again and again, until cancelled."""
        while True:
            try:
                self._names = names_of(await self._engine.voices())
            except SynthesizerError as error:
                log.debug("list of voices refused", reason=error.reason)
            await asyncio.sleep(RETRY_S if self._names is None else ASK_EVERY_S)


def names_of(voices: Iterable[SpeakingVoice]) -> tuple[str, ...]:
    """Those that a session could ask for by name, in the engine's order."""
    names = dict.fromkeys(voice.name for voice in voices if _can_be_asked_for(voice.name))
    return tuple(names)[:MAX_VOICES]


def _can_be_asked_for(name: str) -> bool:
    try:
        Voice(name=name)
    except InvalidSpec:
        return False
    return bool(name)
