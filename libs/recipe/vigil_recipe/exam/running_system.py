"""The system under examination: the one that is found running, else one that is started for the exam."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class RunningSystem:
    """A system that takes sessions, and the clients that the exam talks to it with."""

    endpoints: Endpoints
    gateway: GatewayClient
    client: Client
    bus: Bus
    http: aiohttp.ClientSession


@asynccontextmanager
async def open_system(options: ExamOptions) -> AsyncIterator[RunningSystem]:
    """The Vigil that runs from the data directory, else one that is started for as long as the block runs."""
    async with AsyncExitStack() as stack:
        try:
            endpoints = find(options.data_dir)
            await _healthy(endpoints)
        except ClientError:
            starting = Starting(console)
            with starting:
                up = UpOptions(options.model_dir, data_dir=options.data_dir)
                endpoints = (await stack.enter_async_context(running(up, starting.changed))).endpoints
        http = await stack.enter_async_context(aiohttp.ClientSession())
        client = await stack.enter_async_context(Client(endpoints.gateway_url, endpoints.api_key))
        gateway = GatewayClient(http, endpoints.gateway_url, endpoints.api_key, endpoints.model)
        yield RunningSystem(endpoints, gateway, client, Bus(endpoints.nats_url, endpoints.tenant), http)


async def _healthy(endpoints: Endpoints) -> None:
    """Raise `NotConfigured` for what an earlier Vigil, killed before it could, left written down."""
    async with Client(endpoints.gateway_url, endpoints.api_key) as client:
        if not (await client.health()).takes_sessions:
            raise NotConfigured("the Vigil that is known here takes no sessions", "start it again with `vigil up`")
