"""The service as a process: what it says when something is not there, and what it does when it is killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from vigil.core.control import DELEGATION
from vigil.core.source import Role
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

TAKEOVERS = 4


class Process:
    """`vigil-interaction` with settings of its own."""

    def __init__(self, process: asyncio.subprocess.Process, http_port: int) -> None:
        self.process = process
        self.http_port = http_port

    async def readiness(self) -> dict[str, Any]:
        """What `/readyz` answers; empty while nobody listens."""
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{self.http_port}/readyz") as answer:
                found: dict[str, Any] = await answer.json()
                return found
        except aiohttp.ClientError:
            return {}

    async def ready(self) -> bool:
        """Whether it is."""
        return bool((await self.readiness()).get("ready"))

    async def end(self) -> str:
        """SIGKILL, when it still runs; what it wrote to standard error."""
        if self.process.returncode is None:
            self.process.kill()
        _, errors = await self.process.communicate()
        return errors.decode()


@asynccontextmanager
async def interaction(**settings: object) -> AsyncIterator[Process]:
    """Start the service; `settings` are its variables without the prefix."""
    http_port = free_port()
    variables = {"HTTP_PORT": http_port, "GRPC_PORT": 0, "MODEL": "scripted", **settings}
    environment = {f"VIGIL_{name.upper()}": str(value) for name, value in variables.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vigil_interaction.main",
        env={"PATH": str(Path(sys.executable).parent), **environment},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    started = Process(process, http_port)
    try:
        yield started
    finally:
        await started.end()


async def test_a_model_without_the_control_tokens_is_refused(
    nats_server: NatsServer, redis_server: RedisServer
) -> None:
    async with (
        ScriptedEngine(splits=frozenset({DELEGATION})) as engine,
        interaction(engine_urls=engine.url, nats_url=nats_server.url, redis_url=redis_server.url) as service,
    ):
        assert await asyncio.wait_for(service.process.wait(), DEADLINE_S) == 2
        said = await service.end()
    assert DELEGATION in said
    assert "Traceback" not in said


async def test_a_misspelt_profile_is_one_line() -> None:
    async with interaction(profile="joyal") as service:
        assert await asyncio.wait_for(service.process.wait(), DEADLINE_S) == 2
        said = await service.end()
    assert said == (
        "vigil-interaction: VIGIL_PROFILE: no prompt profile 'joyal': choose one of joyai, vigil-small, harness\n"
    )


async def test_an_engine_that_is_down_at_the_start_is_waited_for(
    nats_server: NatsServer, redis_server: RedisServer
) -> None:
    engine = ScriptedEngine(port=free_port())
    async with interaction(engine_urls=engine.url, nats_url=nats_server.url, redis_url=redis_server.url) as service:
        await eventually(lambda: _names_the_engine(service), what="readiness says what is missing")
        async with engine:
            await eventually(service.ready, what="it is ready once the engine is")


async def test_it_is_ready_while_one_of_its_engines_is(nats_server: NatsServer, redis_server: RedisServer) -> None:
    engines = [ScriptedEngine(port=free_port()), ScriptedEngine(port=free_port())]
    urls = f"{engines[0].url}, {engines[1].url}"
    async with interaction(engine_urls=urls, nats_url=nats_server.url, redis_url=redis_server.url) as service:
        async with engines[1]:
            await eventually(service.ready, what="it is ready with the second engine alone")
        await eventually(lambda: _not_ready(service), what="without any engine it is not")
        said = (await service.readiness())["checks"]["engine"]
        assert "none of 2 engines is up" in said
        async with engines[0]:
            await eventually(service.ready, what="it is ready with the first engine alone")


async def test_an_engine_address_that_is_none_is_one_clear_line() -> None:
    async with interaction(engine_urls="http://gpu:8000,gpu-2:8000") as service:
        assert await asyncio.wait_for(service.process.wait(), DEADLINE_S) == 2
        said = await service.end()
    assert said.startswith("vigil-interaction: VIGIL_ENGINE_URLS: ")
    assert "Traceback" not in said


async def _names_the_engine(service: Process) -> bool:
    told = await service.readiness()
    return not told.get("ready", True) and "engine" in json.dumps(told["checks"])


async def test_nats_that_is_down_at_the_start_is_waited_for(tmp_path: Path, redis_server: RedisServer) -> None:
    server = NatsServer(tmp_path / "late")
    async with (
        ScriptedEngine() as engine,
        interaction(engine_urls=engine.url, nats_url=server.url, redis_url=redis_server.url) as service,
    ):
        await eventually(service.readiness, what="it answers")
        assert not await service.ready()
        await server.start()
        try:
            await eventually(service.ready, what="it is ready once NATS is")
        finally:
            await server.kill()


async def test_a_port_in_use_is_one_clear_line(nats_server: NatsServer, redis_server: RedisServer) -> None:
    async with (
        ScriptedEngine() as engine,
        interaction(
            engine_urls=engine.url, nats_url=nats_server.url, redis_url=redis_server.url, http_port=nats_server.port
        ) as service,
    ):
        assert await asyncio.wait_for(service.process.wait(), DEADLINE_S) == 2
        said = await service.end()
    assert str(nats_server.port) in said
    assert "VIGIL_HTTP_PORT" in said


@pytest.mark.parametrize(("how", "within_s"), [(signal.SIGKILL, 4.5), (signal.SIGTERM, 1.5)])
async def test_the_other_worker_goes_on(
    stage: Stage, nats_server: NatsServer, redis_server: RedisServer, grey: bytes, how: signal.Signals, within_s: float
) -> None:
    """Work beside the test makes some takeovers slow; a wait that should not be there makes all of them slow."""
    settings = {"engine_urls": stage.engine.url, "nats_url": nats_server.url, "redis_url": redis_server.url}
    clock = asyncio.get_running_loop().time
    took_s: list[float] = []
    async with AsyncExitStack() as workers:
        holder = await workers.enter_async_context(interaction(worker="worker-0", **settings))
        await eventually(holder.ready, what="the first worker is ready")
        await stage.open()
        await stage.watch(grey, grey, grey)
        while len(took_s) < TAKEOVERS and not any(took < within_s for took in took_s):
            name = f"worker-{len(took_s) + 1}"
            other = await workers.enter_async_context(interaction(worker=name, **settings))
            await eventually(other.ready, what="the other worker is ready")
            os.kill(holder.process.pid, how)
            gone = clock()
            await stage.watch(grey, start=3 + len(took_s))
            took_s.append(clock() - gone)
            await holder.process.wait()
            await eventually(partial(_holds, stage, name), what="the other worker holds the session")
            holder = other
        turns = 3 + len(took_s) + 1
        await stage.watch(grey, start=turns - 1)
        decisions = await stage.decisions(turns)
    assert any(took < within_s for took in took_s), took_s
    assert [decision.sequence for decision in decisions] == list(range(turns))
    assert len(stage.engine.seen[-1].uuids) == turns, "the other worker knows the history"


async def _holds(stage: Stage, worker: str) -> bool:
    return bool(await stage.placement.owner(Role.INTERACTION, stage.key) == worker)


async def _not_ready(service: Process) -> bool:
    return not await service.ready()
