"""The events of a session's life: each stored once, whoever announces it."""

import asyncio
from dataclasses import replace

import nats
import pytest

from vigil.contract.streams import SESSIONS
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.errors import BusUnavailable
from vigil.runtime.placement.leases import Claim
from vigil.runtime.session.lifecycle import (
    announce,
    announce_change,
    announce_claim,
    announce_end,
    end,
    end_newer,
    why_ended,
)
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.opened_session import Opened
from vigil.testing.servers import NatsServer

WINDOW_S = 0.1


async def forget_message_ids(nats_url: str) -> None:
    """Make JetStream's own de-duplication forget what was stored before, as some minutes would."""
    client = await nats.connect(nats_url)
    try:
        js = client.jetstream()
        subject = "vigil.v1.session.changed.demo.marker"

        async def is_forgotten() -> bool:
            config = (await js.stream_info(SESSIONS.name)).config
            if config.duplicate_window != WINDOW_S:  # also anew: a bus that connects again declares the streams
                config.duplicate_window = WINDOW_S
                await js.update_stream(config)
            return not (await js.publish(subject, b"{}", headers={"Nats-Msg-Id": "marker"})).duplicate

        assert await is_forgotten()
        await eventually(is_forgotten, what="an id of before is stored again")
        await js.purge_stream(SESSIONS.name, subject=subject)
    finally:
        await client.close()


async def test_an_end_is_stored_once_however_often_and_by_whomever_it_is_announced(opened: Opened) -> None:
    await opened.ports.store.end(opened.key, "the client ended it")
    async with Bus.connect(BusConfig(opened.nats_url, name="another process")) as other:
        await other.connected()
        elsewhere = replace(opened.ports, bus=other)
        await asyncio.gather(*(announce_end(ports, opened.spec) for ports in (opened.ports, elsewhere) * 5))
    await forget_message_ids(opened.nats_url)
    assert await announce_end(opened.ports, opened.spec) == "the client ended it"
    (event,) = await opened.events()
    assert (event.type, event.data["reason"]) == ("vigil.session.ended", "the client ended it")
    assert (event.data["role"], event.data["worker"], event.data["source_id"]) == ("", "", "cam")


async def test_a_session_of_the_same_id_that_was_created_later_has_an_end_of_its_own(opened: Opened) -> None:
    await announce(opened.ports.bus, opened.spec, Lifecycle.ENDED, "the first")
    await announce(opened.ports.bus, replace(opened.spec, created_us=8), Lifecycle.ENDED, "the second")
    assert [event.data["reason"] for event in await opened.events()] == ["the first", "the second"]


async def test_every_claim_is_announced_once_and_a_later_one_as_moved(opened: Opened) -> None:
    bus, spec = opened.ports.bus, opened.spec
    first, second = Claim(spec.key, 1), Claim(spec.key, 2, previous="worker-1")
    for claim, worker in ((first, "worker-1"), (first, "worker-1"), (second, "worker-2"), (second, "worker-2")):
        await announce_claim(bus, spec, claim, Role.INTERACTION, worker)
    events = [(event.type, event.data["worker"], event.data["reason"]) for event in await opened.events()]
    assert events == [
        ("vigil.session.started", "worker-1", ""),
        ("vigil.session.moved", "worker-2", "worker-1"),
    ]


async def test_every_change_is_an_event_of_its_own(opened: Opened) -> None:
    for _ in range(3):
        await announce_change(opened.ports.bus, opened.spec, "the client changed it")
    events = await opened.events()
    assert [event.type for event in events] == ["vigil.session.changed"] * 3
    assert len({event.id for event in events}) == 3


async def test_ending_a_session_ends_announces_and_closes_it_for_its_camera_side(opened: Opened) -> None:
    assert await end(opened.ports, opened.spec, "the client ended it") == "the client ended it"
    assert await end(opened.ports, opened.spec, "another reason, too late") == "the client ended it"
    assert await opened.open_roles() == {Role.INTERACTION}  # it has alerts to close first
    assert [event.type for event in await opened.events()] == ["vigil.session.ended"]


async def test_an_end_without_the_bus_is_stored_and_announced_when_it_is_repeated(
    opened: Opened, nats_server: NatsServer
) -> None:
    await nats_server.kill()
    with pytest.raises(BusUnavailable):
        await end(opened.ports, opened.spec, "the client ended it")
    assert await why_ended(opened.ports.store, opened.key) == "the client ended it"
    assert await opened.open_roles() == {Role.INTERACTION}
    await nats_server.start()
    async with asyncio.timeout(DEADLINE_S):
        await opened.ports.bus.connected()
    await end(opened.ports, opened.spec, "the client ended it again")
    assert [event.data["reason"] for event in await opened.events()] == ["the client ended it"]


@pytest.mark.parametrize("held", [True, False])
async def test_a_newer_releases_session_is_left_to_its_worker_or_else_closed_whole(
    opened: Opened, *, held: bool
) -> None:
    if held:
        await opened.ports.placement.claim(Role.INTERACTION, "of the newer release", 1)
    await end_newer(opened.ports, opened.key, "the client ended it")
    assert await why_ended(opened.ports.store, opened.key) == "the client ended it"
    assert await opened.open_roles() == ({Role.INTERACTION} if held else set())
    assert await opened.events() == [], "its worker announces it"
