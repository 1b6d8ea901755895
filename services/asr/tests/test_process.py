"""The asr service as a process: it hears a session with the real detector, is killed, is followed, and is drained."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import AudioChunk, encode_audio
from vigil.contract.events.envelope import decode_event
from vigil.core.hearing import Hearing, Origin
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer, RedisServer
from vigil_asr.testing.scripted_engine import ScriptedEngine
from vigil_asr.testing.vowel import vowel

KEY = SessionKey("demo", "s-1")


class _Process:
    """An asr process that the scripted engine recognizes for."""

    def __init__(self, nats_url: str, redis_url: str, engine: ScriptedEngine) -> None:
        variables = {
            "NATS_URL": nats_url,
            "REDIS_URL": redis_url,
            "HTTP_PORT": 0,
            "GRPC_PORT": 0,
            "ASR_ENGINE": "openai",
            "ASR_URL": f"{engine.url}/v1",
            "ASR_MODEL": "m",
        }
        self._variables = {"PATH": os.defpath, **{f"VIGIL_{name}": str(value) for name, value in variables.items()}}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """It is killed afterwards, unless it has ended."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vigil_asr.main"), env=self._variables, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def say(bus: Bus, sound: bytes) -> None:
    for number in range(len(sound) // 3_200):
        pcm = sound[number * 3_200 : (number + 1) * 3_200]
        chunk = AudioChunk(KEY, Origin.MICROPHONE, "mic", number, 1 + number * 100_000, pcm)
        await bus.publish(subjects.audio_in(KEY), encode_audio(chunk))


async def test_a_process_that_is_killed_while_somebody_speaks_is_followed_by_another(
    engine: ScriptedEngine, nats_server: NatsServer, redis_server: RedisServer, bus: Bus, redis: Redis
) -> None:
    process = _Process(nats_server.url, redis_server.url, engine)
    source = Source("cam", SourceKind.FILE, "file:///a.mp4")
    spec = SessionSpec(KEY.tenant, KEY.session, source, "vigil-small", "m", hearing=Hearing(is_on=True))
    await SessionStore(redis).create(spec)
    await Placement(redis).open(KEY, (Role.ASR,))

    async def listens() -> bool:
        return await bus.is_heard(subjects.audio_in(KEY))

    async def started() -> bool:
        await say(bus, vowel(600))
        return activity.statistics.waiting > 0

    async with process.running() as first, bus.subscribe(subjects.voice_activity(KEY), 10) as activity:
        await eventually(listens, what="it listens")
        await eventually(started, what="somebody speaks")
        first.kill()
        await first.wait()
    async with process.running() as second, bus.subscribe(subjects.transcript(KEY), 10) as finals:
        await eventually(listens, what="the next one listens")
        await say(bus, bytes(16_000) + vowel(1_000) + bytes(32_000))
        final = decode_event((await asyncio.wait_for(anext(finals), DEADLINE_S)).payload)
        assert final.data["text"] == "is anybody there"
        second.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(second.wait(), DEADLINE_S) == 0
