"""The system under examination: the one that is found running, else one that is started for the exam."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from vigil_client.api import Client
from vigil_client.commands.running import console
from vigil_client.endpoints import Endpoints, find
from vigil_client.errors import ClientError, NotConfigured
from vigil_local.commands.progress import Progress as Starting
from vigil_local.supervisor.stack import UpOptions, running
from vigil_recipe.exam.options import ExamOptions
from vigil_recipe.exam.players.accelerated import Bus
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.stand_in import StandIn


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """A system that takes sessions, and the clients that the exam talks to it with. `stand_in` is the brain of a system
    that was started for the exam; one that ran already has brains of its own."""

    endpoints: Endpoints
    gateway: GatewayClient
    client: Client
    bus: Bus
    http: aiohttp.ClientSession
    stand_in: StandIn | None = None


@asynccontextmanager
async def open_system(options: ExamOptions) -> AsyncIterator[RunningSystem]:
    """The Vigil that runs from the data directory, else one that is started for as long as the block runs."""
    async with AsyncExitStack() as stack:
        stand_in: StandIn | None = None
        try:
            endpoints = find(options.data_dir)
            await _healthy(endpoints)
        except ClientError:
            stand_in = await stack.enter_async_context(StandIn().serving())
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vigil-exam-")))
            brains = stand_in.write_brains_file(folder / "brains.json")
            starting = Starting(console)
            with starting:
                up = UpOptions(options.model_dir, data_dir=options.data_dir, brains=brains)
                endpoints = (await stack.enter_async_context(running(up, starting.changed))).endpoints
        http = await stack.enter_async_context(aiohttp.ClientSession())
        client = await stack.enter_async_context(Client(endpoints.gateway_url, endpoints.api_key))
        gateway = GatewayClient(http, endpoints.gateway_url, endpoints.api_key, endpoints.model)
        yield RunningSystem(endpoints, gateway, client, Bus(endpoints.nats_url, endpoints.tenant), http, stand_in)


async def _healthy(endpoints: Endpoints) -> None:
    """Raise `NotConfigured` for what an earlier Vigil, killed before it could, left written down."""
    async with Client(endpoints.gateway_url, endpoints.api_key) as client:
        if not (await client.health()).takes_sessions:
            raise NotConfigured("the Vigil that is known here takes no sessions", "start it again with `vigil up`")
