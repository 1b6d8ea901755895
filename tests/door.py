"""The gateway and ingestion as real processes over real NATS and Redis, and nothing behind them: all that a request for
a session meets before it is watched. No engine is needed."""

import asyncio
import hashlib
import json
import os
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import aiohttp
from system import BIN

from vigil.core.source import Role
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.redis_client import open_redis
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer, RedisServer

KEY = "a-key-of-the-demo-tenant"
TENANT = "demo"
START_S = 90.0
LOG_CHARACTERS = 4_000  # of a service's log, where its start has failed
# Workers that only hold a place: their heartbeats must outlive the tests.
PLACE_S = 3_600.0
_NONE: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Door:
    """Where the gateway and NATS are, and what the processes have logged."""

    url: str
    nats_url: str
    folder: Path

    def logs(self) -> str:
        """All that gateway and ingestion have written."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    async def post(self, path: str, body: Any) -> tuple[int, str]:
        """Status and text of the answer."""
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http,
            http.post(self.url + path, json=body) as answer,
        ):
            return answer.status, await answer.text()


@asynccontextmanager
async def open_door(
    folder: Path, *, ingestion: Mapping[str, object] = _NONE, gateway: Mapping[str, object] = _NONE
) -> AsyncIterator[Door]:
    """Everything started and ready; ended on leaving. Both services may have more settings, named without prefix."""
    nats, redis = NatsServer(folder / "nats"), RedisServer(folder / "redis")
    gateway_port, ingestion_port, grpc_port = free_port(), free_port(), free_port()
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [{"sha256": hashlib.sha256(KEY.encode()).hexdigest(), "tenant": TENANT}]}))
    async with AsyncExitStack() as stack:
        for server in (nats, redis):
            await server.start()
            stack.push_async_callback(server.kill)
        shared = {"NATS_URL": nats.url, "REDIS_URL": redis.url, "LOG_LEVEL": "debug"}
        ports = {"HTTP_PORT": ingestion_port, "GRPC_PORT": grpc_port, "LOCAL_SOURCE_TENANTS": TENANT}
        await stack.enter_async_context(process("ingestion", folder, {**shared, **ports, **ingestion}))
        own = {"HTTP_PORT": gateway_port, "GRPC_PORT": 0, "API_KEYS_FILE": keys}
        own |= {"INGESTION_GRPC": f"127.0.0.1:{grpc_port}"}
        await stack.enter_async_context(
            process("gateway", folder, shared | own | {"STATUS_INTERVAL_S": 0.1, **gateway})
        )
        client = await stack.enter_async_context(open_redis(redis.url))
        for role in (Role.CODEC, Role.INTERACTION):
            await Placement(client, lease_s=PLACE_S).heartbeat(role, f"{role}-1", 100)
        door = Door(f"http://127.0.0.1:{gateway_port}", nats.url, folder)
        await eventually(lambda: _takes_sessions(door.url), START_S, "sessions are taken")
        yield door


@asynccontextmanager
async def process(name: str, folder: Path, settings: Mapping[str, object]) -> AsyncIterator[int]:
    """A service with these settings, named without their prefix; its process id. Killed on leaving."""
    variables = {f"VIGIL_{key}": str(value) for key, value in {"METRICS_PORT": 0, **settings}.items()}
    with (folder / f"{name}.log").open("wb") as log:
        started = await asyncio.create_subprocess_exec(
            str(BIN / f"vigil-{name}"), env={"PATH": os.defpath} | variables, stdin=DEVNULL, stdout=log, stderr=STDOUT
        )
    try:
        yield started.pid
    except Exception as error:
        state = "runs" if started.returncode is None else f"ended with {started.returncode}"
        error.add_note(f"{name} {state} and wrote last:\n{(folder / f'{name}.log').read_text()[-LOG_CHARACTERS:]}")
        raise
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def _takes_sessions(url: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{url}/v1/health") as answer:
            health = await answer.json()
            return answer.status == 200 and bool(health["ready"] and health["takes_sessions"])
    except aiohttp.ClientError:
        return False
