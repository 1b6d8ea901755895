"""Where an exam is taken: what was asked for, and the system that is found running or is started for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import aiohttp

from vigil_client.api import Client
from vigil_client.commands.running import console
from vigil_client.endpoints import Endpoints, find
from vigil_client.errors import ClientError, NotConfigured
from vigil_local.commands.progress import Progress as Starting
from vigil_local.supervisor.stack import UpOptions, running
from vigil_recipe.exam.door import Door
from vigil_recipe.exam.system import Bus

Chosen = TypeVar("Chosen", bound=StrEnum)


class Pace(StrEnum):
    """How fast the episodes are played."""

    ACCELERATED = "accelerated"
    REAL_TIME = "real-time"


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of `vigil eval`, as they were given."""

    seed: int
    episodes: int
    scenarios: tuple[str, ...]
    pace: str
    baselines: bool
    at_once: int
    split: str
    out: Path
    model_dir: Path
    data_dir: Path
    benchmark: str = ""
    annotations: Path | None = None
    videos: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A running system, ready to be asked."""

    endpoints: Endpoints
    door: Door
    client: Client
    bus: Bus
    http: aiohttp.ClientSession


def chosen(kind: type[Chosen], value: str, option: str) -> Chosen:
    """The member of an enumeration that an option names. Raises `ClientError`."""
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(one.value for one in kind)
        raise ClientError(f"{option} is {value!r}", f"give one of: {allowed}") from None


@asynccontextmanager
async def opened(asked: Asked) -> AsyncIterator[Place]:
    """The Vigil that runs from the data directory, else one that is started for as long as the block runs."""
    async with AsyncExitStack() as stack:
        try:
            endpoints = find(asked.data_dir)
            await _healthy(endpoints)
        except ClientError:
            starting = Starting(console)
            with starting:
                options = UpOptions(asked.model_dir, data_dir=asked.data_dir)
                endpoints = (await stack.enter_async_context(running(options, starting.changed))).endpoints
        http = await stack.enter_async_context(aiohttp.ClientSession())
        client = await stack.enter_async_context(Client(endpoints.gateway_url, endpoints.api_key))
        door = Door(http, endpoints.gateway_url, endpoints.api_key, endpoints.model)
        yield Place(endpoints, door, client, Bus(endpoints.nats_url, endpoints.tenant), http)


async def _healthy(endpoints: Endpoints) -> None:
    """Raise `NotConfigured` for what an earlier Vigil, killed before it could, left written down."""
    async with Client(endpoints.gateway_url, endpoints.api_key) as client:
        if not (await client.health()).get("takes_sessions"):
            raise NotConfigured("the Vigil that is known here takes no sessions", "start it again with `vigil up`")
