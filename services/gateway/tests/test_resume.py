"""A client of server-sent events that comes back gets what it missed: nothing left out, nothing twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.contract import subjects
from vigil.contract.streams import ALERTS
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.emitted import alert, decided, delegation
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.servers import NatsServer
from vigil_gateway.live import places
from vigil_gateway.live.feed import EventKind


class Reader:
    """A client's side of a stream that remembers the id of the last event, as a browser's EventSource does."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self.last_id = ""

    async def next(self, *kinds: str) -> tuple[str, dict[str, Any]]:
        """The next event of these kinds; others are passed over."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                kind, data = await self._read()
                if kind in kinds:
                    return kind, data

    async def decisions(self, count: int) -> list[int]:
        """The sequences of the next decisions."""
        return [(await self.next("decision"))[1]["sequence"] for _ in range(count)]

    async def _read(self) -> tuple[str, dict[str, Any]]:
        kind = data = ""
        async for raw in self._answer.content:
            name, _, value = raw.decode().rstrip("\n").partition(": ")
            kind = value if name == "event" else kind
            data = value if name == "data" else data
            self.last_id = value if name == "id" else self.last_id
            if not name and not value and kind:
                return kind, json.loads(data)
        raise AssertionError("the stream ended")


@asynccontextmanager
async def reading(http: aiohttp.ClientSession, session: str, last_id: str = "") -> AsyncIterator[Reader]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    async with http.get(f"/v1/sessions/{session}/events", headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        reader = Reader(answer)
        if not last_id:
            await reader.next("status")
        yield reader


async def test_what_came_while_the_client_was_away_comes_when_it_is_back_each_once(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with reading(http, session) as reader:
        for number in range(3):
            await bus.publish_stored(decided(session, number))
        assert await reader.decisions(3) == [0, 1, 2]
    for number in range(3, 400):
        await bus.publish_stored(decided(session, number))
    await bus.publish_stored(alert(session))  # the first alert of all: the client has no place in that stream yet
    await bus.publish_stored(delegation(session))
    async with reading(http, session, reader.last_id) as again:
        seen = [await again.next("decision", "alert", "delegation") for _ in range(399)]
        await bus.publish_stored(decided(session, 400))
        assert await again.decisions(1) == [400]
    assert [data["sequence"] for kind, data in seen if kind == "decision"] == list(range(3, 400))
    assert [kind for kind, _ in seen if kind != "decision"].count("alert") == 1
    assert [kind for kind, _ in seen if kind != "decision"].count("delegation") == 1


async def test_a_client_without_an_id_hears_nothing_of_the_past(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    await bus.publish_stored(decided(session, 1))
    async with reading(http, session) as reader:
        await bus.publish_stored(decided(session, 2))
        assert await reader.decisions(1) == [2]


async def test_a_client_that_heard_nothing_yet_goes_on_from_where_it_began(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with reading(http, session) as reader:
        assert reader.last_id, "the first status has an id"
    await bus.publish_stored(alert(session))
    async with reading(http, session, reader.last_id) as again:
        assert (await again.next("alert"))[1] == json.loads(alert(session).payload)


async def test_a_client_that_comes_back_after_the_end_hears_of_it(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with reading(http, session) as reader:
        pass
    await bus.publish_stored(alert(session))
    async with http.delete(f"/v1/sessions/{session}"):
        pass
    async with reading(http, session, reader.last_id) as again:
        kinds = [(await again.next("alert", "session", "end"))[0] for _ in range(3)]
    assert sorted(kinds[:2]) == ["alert", "session"]
    assert kinds[2] == "end"


async def test_nothing_is_lost_or_doubled_over_a_restart_of_nats(
    http: aiohttp.ClientSession, session: str, bus: Bus, nats_server: NatsServer
) -> None:
    async with reading(http, session) as reader:
        await bus.publish_stored(decided(session, 0))
        assert await reader.decisions(1) == [0]
        await nats_server.kill()
        await eventually(lambda: not bus.is_connected, what="the bus notices")
        await nats_server.start()
        async with asyncio.timeout(DEADLINE_S):
            await bus.connected()
        for number in range(1, 40):  # the gateway's own connection may come back later
            await bus.publish_stored(decided(session, number))
        assert await reader.decisions(39) == list(range(1, 40))


async def test_a_place_in_a_stream_that_was_made_anew_is_its_beginning(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    await bus.publish_stored(alert(session))
    async with reading(http, session, "d9999-u9999-a9999-s9999-t9999") as reader:
        assert (await reader.next("alert"))[1] == json.loads(alert(session).payload)


@pytest.mark.parametrize("wrong", ["12", "d", "d-1", "d1--u2", "x" * 500, "d" + "9" * 30, "é"])
async def test_an_id_that_is_none_is_refused(http: aiohttp.ClientSession, session: str, wrong: str) -> None:
    async with http.get(f"/v1/sessions/{session}/events", headers={"Last-Event-ID": wrong}) as answer:
        assert answer.status == 422


async def test_the_newest_place_of_a_filter_is_known(bus: Bus, store: SessionStore) -> None:
    key = SessionKey("demo", "s-1")
    everything = subjects.alerts_of(key.tenant, "lobby")
    assert await bus.last_sequence(ALERTS, everything) == 0
    stored = await bus.publish_stored(alert(key.session))
    assert await bus.last_sequence(ALERTS, everything) == stored.sequence
    assert await bus.last_sequence(ALERTS, subjects.alerts_of(key.tenant, "yard")) == 0


@given(st.dictionaries(st.sampled_from(list(places.LETTERS)), st.integers(0, 10**17)))
def test_an_id_reads_back(found: dict[EventKind, int]) -> None:
    assert places.read(places.written(found)) == found
    assert places.read(places.written(found) + "-z7") == found, "a newer gateway may know more"
