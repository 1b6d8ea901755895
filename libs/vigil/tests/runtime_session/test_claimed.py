"""The frame around a run: what closes a session for its roles, and what leaves it open for another run."""

import asyncio

import pytest

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.errors import FenceLost, PortError, StoreCorrupt, StoreNewer, StoreUnavailable
from vigil.runtime.session.claimed import until_over
from vigil.runtime.session.follow import follow
from vigil.runtime.session.ports import WorkerPorts
from vigil.testing.eventually import eventually
from vigil.testing.opened_session import Opened
from vigil.testing.servers import NatsServer

CODEC = (Role.CODEC,)
REST = {Role.INGESTION, Role.INTERACTION}


async def test_a_run_that_is_done_closes_the_session_for_its_roles_only(opened: Opened) -> None:
    async with until_over(opened.ports, opened.key, CODEC):
        assert await opened.open_roles() == {Role.CODEC, *REST}
    assert await opened.open_roles() == REST


async def test_a_session_that_the_store_has_forgotten_is_closed_without_an_error(opened: Opened) -> None:
    await opened.forget()
    async with until_over(opened.ports, opened.key, CODEC):
        await follow(opened.ports, opened.key)
    assert await opened.open_roles() == REST


async def test_a_session_that_cannot_be_read_is_closed_once_it_has_ended(opened: Opened) -> None:
    unreadable = StoreCorrupt(opened.key, "its turns cannot be read")
    with pytest.raises(StoreCorrupt):
        async with until_over(opened.ports, opened.key, CODEC):
            raise unreadable
    assert await opened.open_roles() == {Role.CODEC, *REST}
    await opened.ports.store.end(opened.key, "the client ended it")
    async with until_over(opened.ports, opened.key, CODEC):
        raise unreadable
    assert await opened.open_roles() == REST


async def test_a_session_of_a_newer_release_is_left_open_also_when_it_has_ended(opened: Opened) -> None:
    await opened.ports.store.end(opened.key, "the client ended it")
    with pytest.raises(StoreNewer):
        async with until_over(opened.ports, opened.key, CODEC):
            raise StoreNewer(opened.key, "it is stored in a newer form")
    assert await opened.open_roles() == {Role.CODEC, *REST}


@pytest.mark.parametrize("kind", [StoreUnavailable, FenceLost])
async def test_a_run_that_fails_leaves_the_session_open(opened: Opened, kind: type[PortError]) -> None:
    error = FenceLost(opened.key, "taken over") if kind is FenceLost else kind("Redis does not answer")
    with pytest.raises(kind):
        async with until_over(opened.ports, opened.key, CODEC):
            raise error
    assert await opened.open_roles() == {Role.CODEC, *REST}


async def test_a_run_that_is_cancelled_leaves_the_session_open(opened: Opened) -> None:
    begun = asyncio.Event()

    async def run() -> None:
        async with until_over(opened.ports, opened.key, CODEC):
            begun.set()
            await follow(opened.ports, opened.key)

    task = asyncio.create_task(run())
    await begun.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert await opened.open_roles() == {Role.CODEC, *REST}


async def test_a_run_begins_when_the_bus_is_there(opened: Opened, nats_server: NatsServer) -> None:
    await nats_server.kill()
    begun = asyncio.Event()
    async with Bus.connect(BusConfig(nats_server.url, name="late")) as bus:
        ports = WorkerPorts(opened.ports.store, bus, opened.ports.placement)

        async def run() -> None:
            async with until_over(ports, opened.key, CODEC):
                begun.set()

        task = asyncio.create_task(run())
        assert not await opened.ports.store.ended(opened.key)  # a round trip later it has not begun
        assert not begun.is_set()
        await nats_server.start()
        await eventually(begun.is_set, what="it begins")
        await task
    assert await opened.open_roles() == REST
