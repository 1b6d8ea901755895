"""The memory service as a process: its gRPC, and a worker that is killed in the middle of a block."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import grpc
import pytest
from aiohttp import web

from vigil.contract.memory import memory_to_pb
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.v1 import memory_pb2 as pb
from vigil.v1.memory_pb2_grpc import MemoryServiceStub

Stage = Any  # the fixtures of conftest.py, which importlib mode does not let tests import
Api = Any


@asynccontextmanager
async def process(stage: Stage, url: str, **variables: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """A memory process that asks a memory service at `url`; it is killed afterwards, unless it has ended."""
    given = {
        "NATS_URL": stage.nats_url,
        "REDIS_URL": stage.redis_url,
        "HTTP_PORT": 0,
        "GRPC_PORT": 0,
        "SUMMARISER": "http",
        "SUMMARISER_URL": url,
        "MEMORY_LEASE_S": 1,
        **variables,
    }
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_memory.main"),
        env={"PATH": os.defpath, **{f"VIGIL_{name}": str(value) for name, value in given.items()}},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


def text(words: str) -> Any:
    return lambda call: web.json_response({"text": words})


async def test_a_worker_that_is_killed_in_the_middle_leaves_one_block(stage: Stage, api: Api) -> None:
    api.answers, calls = [text("The door is open.")], api.calls
    api.may_answer.clear()
    await stage.ask()
    async with process(stage, api.url) as first:
        await eventually(lambda: calls, what="the summariser is asked")
        first.kill()
        await first.wait()
    api.may_answer.set()
    async with process(stage, api.url):
        await stage.is_over()
    assert [block.text for block in await stage.blocks()] == ["The door is open."]
    assert await stage.told() == ["ready"]
    assert len(calls) == 2


@asynccontextmanager
async def stub(stage: Stage, api: Api) -> AsyncIterator[Any]:
    """The gRPC of a process, once it serves."""
    port = free_port()
    async with process(stage, api.url, GRPC_PORT=port), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        async with asyncio.timeout(60):
            await channel.channel_ready()
        yield MemoryServiceStub(channel)


async def test_its_memory_is_shown_and_a_block_is_written_for_a_caller(stage: Stage, api: Api) -> None:
    api.answers = [text("The door is open."), text("</silence>")]
    request = await stage.open()
    async with stub(stage, api) as memory:
        asked = pb.ConsolidateRequest(request=memory_to_pb(request))
        written = await memory.Consolidate(asked)
        assert (written.block.id, written.block.text) == ("0-2000-0", "The door is open.")
        assert await stage.blocks() == ()  # it was for the caller alone
        with pytest.raises(grpc.aio.AioRpcError) as useless:
            await memory.Consolidate(asked)
        assert useless.value.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(grpc.aio.AioRpcError) as wrong:
            await memory.Consolidate(pb.ConsolidateRequest(request=memory_to_pb(replace(request, ttl_s=0.0))))
        assert wrong.value.code() is grpc.StatusCode.INVALID_ARGUMENT

        await stage.sessions.write_block(request.key, request.block("A table."))
        shown = await memory.Context(pb.ContextRequest(tenant="demo", session="s-1"))
        assert [block.text for block in shown.written] == ["A table."]
        assert list(shown.blocks) == []
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await memory.Context(pb.ContextRequest(tenant="demo", session="nobody"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND

        nothing = await memory.Recall(pb.RecallRequest(tenant="demo", session="s-1", question="What was on the table?"))
        assert list(nothing.lines) == []
        with pytest.raises(grpc.aio.AioRpcError) as senseless:
            await memory.Recall(pb.RecallRequest(tenant="de mo", session="s-1"))
        assert senseless.value.code() is grpc.StatusCode.INVALID_ARGUMENT
