"""tts as a process: its gRPC with an engine that others run, its drain, and its death in the middle of a sentence."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer, RedisServer
from vigil.v1 import tts_pb2 as pb
from vigil.v1.tts_pb2_grpc import SynthesizerServiceStub
from vigil_tts.testing.scripted_synthesizer import tone
from vigil_tts.testing.speech_engine import RATE_HZ, Behaviour, SpeechEngine

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


@asynccontextmanager
async def process(
    nats: NatsServer, redis: RedisServer, engine: SpeechEngine, **settings: object
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A tts process that is drained afterwards, if it still runs."""
    variables: dict[str, object] = {"NATS_URL": nats.url, "REDIS_URL": redis.url, "HTTP_PORT": 0, "GRPC_PORT": 0}
    variables |= {"TTS_ENGINE": "openai", "TTS_URL": f"{engine.url}/v1", "TTS_MODEL": "m", **settings}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_tts.main"),
        env={"PATH": os.defpath, **{f"VIGIL_{name}": str(value) for name, value in variables.items()}},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield started
        if started.returncode is None:
            started.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(started.wait(), DEADLINE_S) == 0
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def test_a_worker_that_is_killed_in_the_middle_is_followed_by_one_that_repeats_nothing(
    stage: Stage, nats_server: NatsServer, redis_server: RedisServer
) -> None:
    async with SpeechEngine() as engine:
        engine.sound = tone(4.0, RATE_HZ)
        async with process(nats_server, redis_server, engine) as first:
            await stage.listens()
            await stage.says("A man is here.")
            await eventually(lambda: stage.chunks, what="it speaks")
            first.kill()
            await first.wait()
        heard_s, asked = stage.heard_s, len(engine.asked)
        assert heard_s < 3.0
        engine.sound = tone(0.3, RATE_HZ)
        async with process(nats_server, redis_server, engine):
            await stage.listens()
            said = await stage.says("I am new.")
            await eventually(lambda: stage.chunks[-1].is_last, what="the new worker speaks")
        assert stage.chunks[-1].utterance == said
        assert [request.body["input"] for request in engine.asked[asked:]] == ["I am new."]


@pytest.fixture
async def engine() -> AsyncIterator[SpeechEngine]:
    async with SpeechEngine() as server:
        yield server


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    return caught.value.code(), caught.value.details() or ""


async def test_its_grpc_speaks_a_text_and_lists_the_voices(
    nats_server: NatsServer, redis_server: RedisServer, engine: SpeechEngine
) -> None:
    port = free_port()
    async with (
        process(nats_server, redis_server, engine, GRPC_PORT=port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        await asyncio.wait_for(channel.channel_ready(), DEADLINE_S)
        stub: Any = SynthesizerServiceStub(channel)
        text = "It is 9:00. He left."
        heard = [part async for part in stub.Synthesize(pb.SynthesizeRequest(text=text, voice="ben", speed=1.5))]
        assert b"".join(part.pcm for part in heard) == engine.sound * 2
        assert {(part.sentence, part.sentence_begin_char) for part in heard} == {("It is 9:00.", 0), ("He left.", 12)}
        assert {part.sample_rate_hz for part in heard} == {RATE_HZ}
        assert [(asked.body["input"], asked.body["voice"]) for asked in engine.asked] == [
            ("It is nine o'clock.", "ben"),
            ("He left.", "ben"),
        ]
        voices = await stub.ListVoices(pb.ListVoicesRequest())
        assert [voice.name for voice in voices.voices] == ["vivian", "ryan", "mine"]

        for request, told in (
            (pb.SynthesizeRequest(text=""), "give 1 to 2000"),
            (pb.SynthesizeRequest(text="x" * 2_001), "give 1 to 2000"),
            (pb.SynthesizeRequest(text="Hello.", speed=9), "voice.speed is 9"),
        ):
            code, details = await refusal(stub.Synthesize(request))
            assert (code, told in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        engine.behaviour = Behaviour.ERROR
        code, details = await refusal(stub.Synthesize(pb.SynthesizeRequest(text="Hello.")))
        assert (code, details) == (grpc.StatusCode.UNAVAILABLE, "the speech engine answered 500")
