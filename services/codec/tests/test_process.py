"""The codec as a process: its gRPC, its drain, a bus that comes later."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import cast

import aiohttp
import grpc
import pytest

from vigil.contract.frames import Frame, FrameGroup, coded_group_from_pb, group_to_pb
from vigil.core.ids import SessionKey
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.images import jpeg
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer, RedisServer
from vigil.v1.codec_pb2 import EncodeRequest, EncodeResponse
from vigil.v1.codec_pb2_grpc import CodecServiceStub

KEY = SessionKey("demo", "s-1")


PICTURE = jpeg(size=(160, 96))


def request(time_ms: int, profile: str = "vigil-small", picture: bytes = PICTURE, fence: int = 4) -> EncodeRequest:
    frames = (Frame(picture, 160, 96, time_ms * 1_000),)
    return EncodeRequest(profile=profile, group=group_to_pb(FrameGroup(KEY, time_ms, 0, frames, fence)))


async def encoded(stub: CodecServiceStub, *requests: EncodeRequest) -> list[EncodeResponse]:
    """All answers of one call. The generated stub's types are those of the blocking client."""
    call = cast(AsyncIterable[EncodeResponse], stub.Encode(iter(requests), timeout=DEADLINE_S))
    return [response async for response in call]


@asynccontextmanager
async def process(nats_url: str, redis_url: str, **ports: int) -> AsyncIterator[None]:
    """A codec process that is drained afterwards."""
    variables = {"NATS_URL": nats_url, "REDIS_URL": redis_url, "HTTP_PORT": 0, "GRPC_PORT": 0, **ports}
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_codec.main"),
        env={"PATH": os.defpath, **{f"VIGIL_{name}": str(value) for name, value in variables.items()}},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
        started.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(started.wait(), DEADLINE_S) == 0
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


@pytest.fixture
async def stub(nats_server: NatsServer, redis_server: RedisServer) -> AsyncIterator[CodecServiceStub]:
    """A client of a codec process."""
    port = free_port()
    async with (
        process(nats_server.url, redis_server.url, GRPC_PORT=port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        await asyncio.wait_for(channel.channel_ready(), DEADLINE_S)
        yield CodecServiceStub(channel)


async def readiness(http_port: int) -> tuple[int, str]:
    """Status and text of `/readyz`; 0 while nobody listens."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{http_port}/readyz") as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientError:
        return 0, ""


async def test_nats_that_is_down_at_the_start_is_waited_for(tmp_path: Path, redis_server: RedisServer) -> None:
    server, port = NatsServer(tmp_path / "late"), free_port()

    async def answers(status: int) -> str:
        found, text = await readiness(port)
        return text if found == status else ""

    async with process(server.url, redis_server.url, HTTP_PORT=port):
        assert "nats" in await eventually(partial(answers, 503), what="it is alive and not ready")
        await server.start()
        try:
            assert await eventually(partial(answers, 200), what="it is ready once NATS is")
        finally:
            await server.kill()


async def test_a_video_is_encoded_offline(stub: CodecServiceStub) -> None:
    groups = [
        coded_group_from_pb(response.group)
        for response in await encoded(stub, request(0), request(1_000), request(3_000))
    ]
    assert [(group.time_ms, group.fence, group.frames[0].visual_tokens) for group in groups] == [
        (0, 4, 15),
        (1_000, 4, 15),
        (3_000, 4, 15),
    ]


BROKEN = (
    ([request(0, profile="none")], "no prompt profile 'none'"),
    ([request(0), request(1_000, profile="joyai")], "keep its profile"),
    ([request(1_000), request(1_000)], "in the order of their time"),
    ([EncodeRequest(profile="joyai")], "names no session"),
    ([request(0, picture=PICTURE[:-40])], "send whole JPEGs"),
    ([request(0), request(1_000, fence=3)], "keep its fence"),
)


async def test_a_request_that_breaks_a_rule_is_told_which(stub: CodecServiceStub) -> None:
    for requests, told in BROKEN:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await encoded(stub, *requests)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert told in (caught.value.details() or "")
