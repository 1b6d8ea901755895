"""What is under test, as `vigil up` runs it: NATS, Redis, an engine, codec and interaction, each a process."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from redis.asyncio import Redis

from bench import instant_engine
from bench.processes import Child, Usage, answers, child, usage
from bench.sampler import Sampler
from bench.settings import ROOT, BenchSettings, EngineKind
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.ports import free_port
from vigil.testing.scripted_brain import Behaviour
from vigil.testing.servers import NatsServer, RedisServer

_START_S = 30.0
_WORKER_START_S = 180.0
_ENGINE_START_S = 480.0
_CAPACITY = 10_000
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class EngineAt:
    """An engine, how it is started, and the model that it lists."""

    process: Child
    url: str
    model: str
    argv: Sequence[str]
    start_s: float = _START_S
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Stack:
    """A running system. Workers come and go; everything ends with the block."""

    folder: Path
    nats: NatsServer
    redis_server: RedisServer
    redis: Redis
    engine: EngineAt
    profile: str
    exits: AsyncExitStack
    workers: dict[str, Child] = field(default_factory=dict)

    @property
    def store(self) -> SessionStore:
        return SessionStore(self.redis)

    @property
    def placement(self) -> Placement:
        return Placement(self.redis)

    async def start(self, service: str, number: int = 1, variables: Mapping[str, str] = _NONE) -> Child:
        """Start one more worker of `service` and wait until it claims sessions. `variables` come before the usual."""
        name, port = f"{service}-{number}", free_port()
        environment = {
            "VIGIL_NATS_URL": self.nats.url,
            "VIGIL_LOCAL_SOURCE_TENANTS": "*",
            "VIGIL_REDIS_URL": self.redis_server.url,
            "VIGIL_HTTP_PORT": str(port),
            "VIGIL_GRPC_PORT": "0",
            "VIGIL_METRICS_PORT": "0",
            "VIGIL_WORKER": name,
            "VIGIL_CAPACITY": str(_CAPACITY),
            "VIGIL_ENGINE_URLS": self.engine.url,
            "VIGIL_MODEL": self.engine.model,
            "VIGIL_PROFILE": self.profile,
            **variables,
        }
        program = str(Path(sys.executable).with_name(f"vigil-{service}"))
        worker = await self.exits.enter_async_context(child(name, [program], self.folder, environment))
        await answers(worker, f"http://127.0.0.1:{environment['VIGIL_HTTP_PORT']}/readyz", _WORKER_START_S)
        self.workers[name] = worker
        return worker

    async def start_engine(self) -> None:
        """Start an engine that has ended anew, at the same address; it knows nothing of what was."""
        one = self.engine
        process = await _launched(self.exits, self.folder, one.url, one.argv, one.start_s, one.variables)
        self.engine = replace(one, process=process)

    def usages(self) -> dict[str, Usage]:
        """Every process of the system that runs, by name."""
        pids = {"nats": self.nats.pid, "redis": self.redis_server.pid, "engine": self.engine.process.pid}
        pids |= {name: one.pid for name, one in self.workers.items() if one.process.returncode is None}
        return {name: usage(pid) for name, pid in pids.items()}


@asynccontextmanager
async def running(
    settings: BenchSettings,
    name: str,
    *,
    engine: str = "instant",
    interaction_workers: int = 1,
    variables: Mapping[str, str] = _NONE,
    nats_config: str = "",
) -> AsyncIterator[tuple[Stack, Sampler]]:
    """A fresh system and the sampler of its memory. `engine` is `instant`, `scripted` (and `seeing`, which
    speaks when it is shown red), `delegating` (instant, and delegates when it is shown red, in turn one topic of each
    `Behaviour` of a brain), `answering` (every question, and nothing else), or `real`; `variables` are those of codec
    and interaction, before the usual ones; `nats_config` are lines of the configuration of NATS."""
    folder = await asyncio.to_thread(_emptied, settings.out / "run" / name)
    async with AsyncExitStack() as exits:
        nats, redis_server = NatsServer(folder / "nats", nats_config), RedisServer(folder / "redis")
        for server in (nats, redis_server):
            exits.push_async_callback(server.kill)
            await server.start()
        found = await _engine(exits, settings, engine, folder)
        redis = await exits.enter_async_context(open_redis(redis_server.url))
        profile = "vigil-small" if engine == EngineKind.REAL else "joyai"
        stack = Stack(folder, nats, redis_server, redis, found, profile, exits)
        await stack.start("codec", variables=variables)
        for number in range(1, interaction_workers + 1):
            await stack.start("interaction", number, variables)
        sampler = Sampler(stack.usages)
        sampling = asyncio.create_task(sampler.run())
        try:
            yield stack, sampler
        finally:
            sampling.cancel()
            await asyncio.wait({sampling})


def _emptied(folder: Path) -> Path:
    """The folder without what a former run left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


async def _engine(exits: AsyncExitStack, settings: BenchSettings, kind: str, folder: Path) -> EngineAt:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    start_s, variables = _START_S, _NONE
    match kind:
        case "instant":
            argv, model = [sys.executable, "-m", "bench.instant_engine", str(port)], instant_engine.MODEL
        case "delegating":
            argv = [sys.executable, "-m", "bench.instant_engine", str(port), *Behaviour]
            model = instant_engine.MODEL
        case "scripted" | "seeing" | "answering":
            script = {"scripted": "silent", "seeing": "red"}.get(kind, kind)
            argv = [sys.executable, "-m", "vigil.testing.scripted_engine", "--port", str(port), "--script", script]
            model = "scripted"
        case _:
            model, start_s = "vigil-small", _ENGINE_START_S
            argv = ["bash", str(ROOT / "deploy" / "engine" / "serve.sh"), str(settings.model_dir), model]
            variables = {"VIGIL_ENGINE_PORT": str(port), "VIGIL_ENGINE_PYTHON": str(settings.engine_python)}
    process = await _launched(exits, folder, url, argv, start_s, variables)
    return EngineAt(process, url, model, argv, start_s, variables)


async def _launched(
    exits: AsyncExitStack, folder: Path, url: str, argv: Sequence[str], start_s: float, variables: Mapping[str, str]
) -> Child:
    process = await exits.enter_async_context(child("engine", argv, folder, variables))
    await answers(process, f"{url}/health", start_s)
    return process
