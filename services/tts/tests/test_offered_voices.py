"""The voices of the engine, from the engine to whoever asks for the role's workers."""

import asyncio
from typing import Any

from redis.asyncio import Redis

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Offer, Placement
from vigil.testing.eventually import eventually
from vigil_tts.offered_voices import MAX_VOICES, OfferedVoices, names_of
from vigil_tts.synthesizers.port import SpeakingVoice, SynthesizerError
from vigil_tts.testing.scripted_synthesizer import ScriptedSynthesizer


def voices(*names: str) -> list[SpeakingVoice]:
    return [SpeakingVoice(name) for name in names]


def test_names_that_no_session_could_ask_for_are_left_out() -> None:
    assert names_of(voices("heart", "../etc/passwd", "", "x" * 1_000, "heart", "Ben 2")) == ("heart", "Ben 2")
    assert len(names_of(voices(*(f"v{number}" for number in range(500))))) == MAX_VOICES


class _Engine(ScriptedSynthesizer):
    """Silent about its voices until it is up."""

    is_up = False

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        if not self.is_up:
            raise SynthesizerError("the speech engine answered 503", "unavailable")
        return tuple(voices("anna", "ben"))


async def test_an_engine_that_comes_up_is_asked_again(bus: Bus, redis: Redis) -> None:
    engine = _Engine()
    offered = OfferedVoices(engine, 4)
    assert offered(0) == Offer(4)
    placement = Placement(redis, lease_s=0.3)

    async def nothing(_: Any) -> None:
        raise AssertionError("there is no session")

    claimer = Claimer(placement, bus, role=Role.TTS, worker="one", capacity=4, run=nothing, offer=offered)
    tasks = [asyncio.create_task(work) for work in (claimer.run(), offered.run())]
    try:
        engine.is_up = True

        async def told() -> bool:
            return (await placement.capacity(Role.TTS)).models == ("anna", "ben")

        await eventually(told, what="the heartbeat names the voices")
        assert (await placement.capacity(Role.TTS)).capacity == 4
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
