"""The gRPC of the asr service, in this process: sound without a session."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

import grpc
import pytest
from redis.asyncio import Redis

from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S
from vigil.v1 import asr_pb2 as pb
from vigil.v1 import audio_pb2
from vigil.v1.asr_pb2_grpc import RecognizerServiceStub, add_RecognizerServiceServicer_to_server
from vigil_asr.ports import Ports
from vigil_asr.recognizer_service import MAX_CALLS, RecognizerService
from vigil_asr.recognizers.port import RecognizerError
from vigil_asr.testing.loudness import LoudnessDetector, loud, still
from vigil_asr.testing.scripted_recognizer import Answer, ScriptedRecognizer

OPTIONS = pb.RecognizeRequest(options=pb.RecognizeOptions(sample_rate_hz=16_000, language="en"))
STATES = audio_pb2.VoiceState


@asynccontextmanager
async def stub(bus: Bus, redis: Redis, answers: Sequence[Answer]) -> AsyncIterator[RecognizerServiceStub]:
    """A client of the service."""
    recognizer = ScriptedRecognizer(answers)
    ports = Ports(SessionStore(redis), bus, Placement(redis), recognizer, timeout_s=30, detector=LoudnessDetector)
    server = grpc.aio.server()
    add_RecognizerServiceServicer_to_server(RecognizerService(ports), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield RecognizerServiceStub(channel)
    finally:
        await server.stop(None)


def sound(*pieces: bytes, size: int = 3_200) -> list[pb.RecognizeRequest]:
    pcm = b"".join(pieces)
    return [pb.RecognizeRequest(pcm=pcm[at : at + size]) for at in range(0, len(pcm), size)]


async def answers_of(
    recognizer: RecognizerServiceStub, requests: Sequence[pb.RecognizeRequest]
) -> list[pb.RecognizeResponse]:
    """All of one call. The generated stub's types are those of the blocking client."""
    call = cast(AsyncIterable[pb.RecognizeResponse], recognizer.Recognize(iter(requests), timeout=DEADLINE_S))
    return [response async for response in call]


async def test_what_was_said_is_told_with_its_times(bus: Bus, redis: Redis) -> None:
    async with stub(bus, redis, ["is anybody there", "yes"]) as recognizer:
        said = [*sound(still(320), loud(640), still(640), loud(160), still(320)), *sound(loud(640))]
        found = await answers_of(recognizer, [OPTIONS, *said])
    states = [(found.activity.state, found.activity.time_s) for found in found if found.HasField("activity")]
    assert [STATES.Name(state).removeprefix("VOICE_STATE_") for state, _ in states] == [
        *("STARTED", "STOPPED", "STARTED", "FALSE_START", "STARTED", "STOPPED"),
    ]
    assert [time_s for _, time_s in states[:2]] == [pytest.approx(0.32, abs=0.04), pytest.approx(0.96, abs=0.04)]
    finals = [response.speech for response in found if response.speech.is_final]
    assert [(final.text, final.language, final.engine) for final in finals] == [
        ("is anybody there", "en", "scripted"),
        ("yes", "en", "scripted"),
    ]
    assert any(response.speech.text == "is" for response in found if not response.speech.is_final)


BROKEN = (
    (sound(loud(100)), "send the options in the first message"),
    ([OPTIONS, OPTIONS], "and sound in every other"),
    ([pb.RecognizeRequest(options=pb.RecognizeOptions(sample_rate_hz=8_000))], "send sound at 16,000 Hz"),
    ([pb.RecognizeRequest(options=pb.RecognizeOptions(sample_rate_hz=16_000, language="e n"))], "language"),
    ([OPTIONS, pb.RecognizeRequest(pcm=b"\0")], "send whole samples"),
    ([OPTIONS, pb.RecognizeRequest(pcm=bytes(32_002))], "at most a second"),
)


@pytest.mark.parametrize(("requests", "told"), BROKEN)
async def test_a_request_that_breaks_a_rule_is_told_which(
    bus: Bus, redis: Redis, requests: list[pb.RecognizeRequest], told: str
) -> None:
    async with stub(bus, redis, []) as recognizer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answers_of(recognizer, requests)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert told in (caught.value.details() or "")


async def test_an_engine_that_fails_ends_the_call(bus: Bus, redis: Redis) -> None:
    async with stub(bus, redis, [RecognizerError("no such model", reason="refused")]) as recognizer:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answers_of(recognizer, [OPTIONS, *sound(loud(640), still(640))])
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_one_call_more_than_are_recognized_at_once_is_refused(bus: Bus, redis: Redis) -> None:
    async with stub(bus, redis, []) as recognizer:
        calls = [recognizer.Recognize() for _ in range(MAX_CALLS)]  # type: ignore[call-arg]
        for call in calls:
            await call.write(OPTIONS)  # type: ignore[attr-defined]
            for request in sound(loud(160)):
                await call.write(request)  # type: ignore[attr-defined]
            assert (await call.read()).activity.state == STATES.VOICE_STATE_STARTED  # type: ignore[attr-defined]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await answers_of(recognizer, [OPTIONS])
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        for call in calls:
            call.cancel()  # type: ignore[no-untyped-call]
