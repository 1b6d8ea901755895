"""What breaks under a running system, and how it is mended: the infrastructure's faults, each an async context.

Inside the block the thing is broken; leaving it mends it and returns once the thing itself answers again.
"""

import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from types import MappingProxyType

from nats.js.api import DiscardPolicy

from bench.nats_client import connected
from bench.stack import Stack
from vigil.contract.streams import STREAMS
from vigil.runtime.bus import jetstream

Breakage = Callable[[Stack], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def nats_restarted(stack: Stack) -> AsyncIterator[None]:
    """NATS crashes; it comes back with its port and its data."""
    await stack.nats.kill()
    yield
    await stack.nats.start()


@asynccontextmanager
async def redis_restarted(stack: Stack) -> AsyncIterator[None]:
    """Redis crashes; it comes back with its port and its data."""
    await stack.redis_server.kill()
    yield
    await stack.redis_server.start()


@asynccontextmanager
async def engine_restarted(stack: Stack) -> AsyncIterator[None]:
    """The engine crashes; it comes back without any picture or prefix."""
    process = stack.engine.process.process
    process.kill()
    await process.wait()
    yield
    await stack.start_engine()


@asynccontextmanager
async def engine_hung(stack: Stack) -> AsyncIterator[None]:
    """The engine's connections stay open and nothing comes."""
    pid = stack.engine.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@asynccontextmanager
async def redis_full(stack: Stack) -> AsyncIterator[None]:
    """Redis has reached its `maxmemory` and evicts nothing, as `vigil up` sets it up."""
    await stack.redis.config_set("maxmemory-policy", "noeviction")
    await stack.redis.config_set("maxmemory", "1")
    try:
        yield
    finally:
        await stack.redis.config_set("maxmemory", "0")


@asynccontextmanager
async def streams_full(stack: Stack) -> AsyncIterator[None]:
    """Every stream takes nothing more, as when the store's limit is reached: each publish is refused."""
    client = await connected(stack.nats.url, "bench streams")
    try:
        js = client.jetstream()
        for spec in STREAMS:
            found = await js.stream_info(spec.name)
            full = replace(found.config, max_bytes=max(1, found.state.bytes), discard=DiscardPolicy.NEW)
            await js.update_stream(full)
        try:
            yield
        finally:
            await jetstream.ensure_streams(js)
    finally:
        await client.close()


@asynccontextmanager
async def nats_hung(stack: Stack) -> AsyncIterator[None]:
    """NATS keeps its connections and does nothing, as on a machine that hangs."""
    stack.nats.freeze()
    try:
        yield
    finally:
        stack.nats.thaw()


BREAKAGES: Mapping[str, Breakage] = MappingProxyType(
    {
        "NATS restarted": nats_restarted,
        "NATS hung": nats_hung,
        "Redis restarted": redis_restarted,
        "engine restarted": engine_restarted,
        "engine hung": engine_hung,
        "Redis full": redis_full,
        "JetStream full": streams_full,
    }
)
