"""Sessions without an interaction worker: told by the gateways, once, and only when it lasts."""

import json
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from vigil.contract import subjects
from vigil.contract.events.envelope import decode_event
from vigil.contract.streams import SESSIONS
from vigil.contract.subject_tokens import Lifecycle
from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.core.stall import LEAST_S
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.session.outages import STALL, tell_end
from vigil.runtime.session.outages import told as told_of
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import spec
from vigil_gateway.sessions.unheld import Unheld

KEY = SessionKey("demo", "s-1")


@dataclass(frozen=True)
class Shared:
    """What a look at the sessions uses of the gateway's ports."""

    bus: Bus
    store: SessionStore
    placement: Placement


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def shared(bus: Bus, store: SessionStore, placement: Placement) -> Shared:
    await store.create(spec(KEY.session))
    await placement.open(KEY, (Role.INTERACTION,))
    return Shared(bus, store, placement)


def watcher(shared: Any, clock: Clock) -> Unheld:
    return Unheld(shared, clock)


async def told(bus: Bus) -> int:
    return (await bus._jetstream().stream_info(SESSIONS.name)).state.messages


async def test_a_session_that_nobody_takes_is_told_once_by_two_gateways(shared: Shared) -> None:
    clock = Clock()
    gateways = [watcher(shared, clock), watcher(shared, clock)]
    for second in range(12):
        clock.now_s = float(second)
        for gateway in gateways:
            await gateway.look()
        assert await told(shared.bus) == (1 if second > LEAST_S else 0)
    async with shared.bus.consume(SESSIONS, "test", subjects.lifecycle(Lifecycle.STALLED, KEY)) as events:
        event = decode_event((await anext(events)).payload)
    assert (event.type, event.data["cause"]) == ("vigil.session.stalled", "no_worker")
    status = json.loads((await shared.store.status(KEY))["interaction"])
    assert (status["state"], status["cause"]) == ("stalled", "no_worker")


async def test_a_session_that_moves_from_worker_to_worker_is_not_told(shared: Shared) -> None:
    clock = Clock()
    gateway = watcher(shared, clock)
    for second in range(20):
        clock.now_s = float(second)
        await gateway.look()
        if second % 4 == 3:
            (claim,) = await shared.placement.claim(Role.INTERACTION, "one", 1)
            await gateway.look()
            await shared.placement.release(Role.INTERACTION, "one", [claim])
    assert await told(shared.bus) == 0


async def test_a_session_that_has_ended_is_not_told(shared: Shared) -> None:
    clock = Clock()
    gateway = watcher(shared, clock)
    await shared.store.end(KEY, "done")
    for second in range(12):
        clock.now_s = float(second)
        await gateway.look()
    assert await told(shared.bus) == 0


async def test_two_gateways_log_a_stall_once(shared: Shared) -> None:
    clock = Clock()
    gateways = [watcher(shared, clock), watcher(shared, clock)]
    with capture_logs() as logs:
        for now_s in (0.0, LEAST_S + 1):
            clock.now_s = now_s
            for gateway in gateways:
                await gateway.look()
    assert [entry["event"] for entry in logs] == ["session stalled"]


async def test_a_second_outage_without_a_turn_in_between_is_an_event_of_its_own(shared: Shared) -> None:
    clock = Clock()
    gateway, session = watcher(shared, clock), await shared.store.spec(KEY)
    for outage in range(2):
        for _ in range(2):
            clock.now_s += LEAST_S + 1
            await gateway.look()
        assert (await told_of(shared.bus, session, STALL)).lasting == outage
        (claim,) = await shared.placement.claim(Role.INTERACTION, "one", 1)
        await tell_end(shared.bus, session, STALL, outage, worker="one", reason="a worker holds it again")
        await gateway.look()
        await shared.placement.release(Role.INTERACTION, "one", [claim])
    assert await told(shared.bus) == 4


async def test_a_stall_shows_in_the_sessions_status_and_on_its_event_stream(
    http: aiohttp.ClientSession, session: str, placement: Placement, store: SessionStore, bus: Bus
) -> None:
    async with http.get(f"/v1/sessions/{session}/events") as answer:
        seen = b""
        while b"vigil.session.stalled" not in seen:  # its worker never comes
            seen += await answer.content.read(4_096)
    async with http.get(f"/v1/sessions/{session}") as answer:
        status = (await answer.json())["status"]["interaction"]
    assert (status["state"], status["cause"]) == ("stalled", "no_worker")
