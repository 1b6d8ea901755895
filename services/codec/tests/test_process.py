"""The codec as a process: its gRPC, its drain."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterable, AsyncIterator
from typing import cast

import grpc
import pytest

from vigil.contract.frames import Frame, FrameGroup, coded_group_from_pb, group_to_pb
from vigil.core.ids import SessionKey
from vigil.testing.servers import NatsServer, RedisServer, free_port
from vigil.v1.codec_pb2 import EncodeRequest, EncodeResponse
from vigil.v1.codec_pb2_grpc import CodecServiceStub

KEY = SessionKey("demo", "s-1")


def request(time_ms: int, profile: str = "vigil-small") -> EncodeRequest:
    frames = (Frame(b"jpeg", 160, 96, time_ms * 1_000),)
    return EncodeRequest(profile=profile, group=group_to_pb(FrameGroup(KEY, time_ms, 0, frames, 4)))


async def encoded(stub: CodecServiceStub, *requests: EncodeRequest) -> list[EncodeResponse]:
    """All answers of one call. The generated stub's types are those of the blocking client."""
    call = cast(AsyncIterable[EncodeResponse], stub.Encode(iter(requests), timeout=10))
    return [response async for response in call]


@pytest.fixture
async def stub(nats_server: NatsServer, redis_server: RedisServer) -> AsyncIterator[CodecServiceStub]:
    """A client of a codec process that is drained afterwards."""
    port = free_port()
    variables = {"NATS_URL": nats_server.url, "REDIS_URL": redis_server.url, "HTTP_PORT": "0", "GRPC_PORT": str(port)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_codec.main"),
        env={"PATH": os.defpath, **{f"VIGIL_{name}": value for name, value in variables.items()}},
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await asyncio.wait_for(channel.channel_ready(), 20)
        yield CodecServiceStub(channel)
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), 10) == 0


async def test_a_video_is_encoded_offline(stub: CodecServiceStub) -> None:
    groups = [coded_group_from_pb(one.group) for one in await encoded(stub, request(0), request(1_000), request(3_000))]
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
)


async def test_a_request_that_breaks_a_rule_is_told_which(stub: CodecServiceStub) -> None:
    for requests, told in BROKEN:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await encoded(stub, *requests)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert told in (caught.value.details() or "")
