"""A tenant's wall: every open session at a glance, live, in one stream."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from prometheus_client import REGISTRY

from vigil.contract.decision import decision_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.core.alert import Alert
from vigil.core.ids import SessionKey
from vigil.core.instruction import Severity, Watch
from vigil.core.session import SessionState
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.emitted import alert, decision, spec
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_client.sse import Parser, ServerEvent

Json = dict[str, Any]


class Wall:
    """A client's side of a wall. `heard` has every event in order."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer
        self._parser = Parser()
        self._waiting: list[ServerEvent] = []
        self.heard: list[ServerEvent] = []

    @property
    def place(self) -> str:
        """The id that a client would come back with."""
        return self.heard[-1].id

    async def next(self) -> tuple[str, Json]:
        """The next event."""
        async with asyncio.timeout(DEADLINE_S):
            while not self._waiting:
                self._waiting += self._parser.feed(await self._answer.content.readany())
        received = self._waiting.pop(0)
        self.heard.append(received)
        return received.kind, json.loads(received.data)

    async def of(self, kind: str, **wanted: object) -> Json:
        """The data of the next event of that kind with these values; others are passed over."""
        while True:
            name, data = await self.next()
            if name == kind and all(data.get(field) == value for field, value in wanted.items()):
                return data


@asynccontextmanager
async def wall(http: aiohttp.ClientSession, after: str = "") -> AsyncIterator[Wall]:
    """An open wall."""
    async with http.get("/v1/wall", headers={"Last-Event-ID": after} if after else {}) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.content_type == "text/event-stream"
        yield Wall(answer)


def decided(session: str, sequence: int, text: str = "") -> Outgoing:
    """A decision of now."""
    return decision_outgoing(spec(session), decision(sequence, text), emit_time_us=time.time_ns() // 1_000)


def alerted(session: str, number: int) -> Outgoing:
    """An alert event of its own."""
    return replace(alert(session), message_id=f"{session}.alert.{number}")


async def opened(http: aiohttp.ClientSession, name: str) -> str:
    """Another session of the tenant demo."""
    body = {"source": {"url": f"rtsp://user:secret@{name}.local/1", "id": name, "name": name.title()}}
    async with http.post("/v1/sessions", json=body) as answer:
        created = await answer.json()
        assert answer.status == 201, created
        return str(created["id"])


async def test_it_begins_with_a_tile_for_each_open_session(
    http: aiohttp.ClientSession, session: str, bus: Bus, placement: Placement
) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-1", 3)  # one that ended is still held
    gone = await opened(http, "yard")
    await bus.publish_stored(decided(session, 7, "Fire!"))
    await http.delete(f"/v1/sessions/{gone}")
    porch = await opened(http, "porch")
    async with wall(http) as shown:
        assert await shown.next() == ("status", {"sessions": 2, "dropped": {"alert": 0, "session": 0, "approval": 0}})
        tiles = {data["session"]: data for _, data in (await shown.next(), await shown.next())}
    assert tiles.keys() == {session, porch}
    assert tiles[porch] == {
        "session": porch,
        "name": "Porch",
        "source": {
            "id": "porch",
            "kind": "rtsp",
            "url": tiles[porch]["source"]["url"],
            "name": "Porch",
            "loop": False,
        },
        "state": "starting",
        "detail": "",
        "last": None,
        "time_s": None,
        "alerts": [],
    }
    assert "secret" not in tiles[porch]["source"]["url"]
    live = tiles[session]
    assert (live["name"], live["state"], live["time_s"]) == ("lobby", "live", 7.0)
    assert (live["last"]["sequence"], live["last"]["action"], live["last"]["text"]) == (7, "speak", "Fire!")
    assert live["last"]["p"] == {"silent": 0.9, "speak": 0.08, "delegate": 0.02}


async def test_many_decisions_make_one_tile_a_second(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    began_s = time.monotonic()
    async with wall(http) as shown:
        await shown.of("tile")
        for sequence in range(40):
            await bus.publish_stored(decided(session, sequence))
        while (last := (await shown.of("tile"))["last"])["sequence"] < 39:
            pass
        assert last["action"] == "silent"
    tiles = [received for received in shown.heard if received.kind == "tile"]
    assert len(tiles) <= 2 + (time.monotonic() - began_s), "the first, and at most one for each second that it took"


async def test_a_tile_says_how_its_session_is(
    http: aiohttp.ClientSession, session: str, store: SessionStore, placement: Placement
) -> None:
    key = SessionKey("demo", session)
    async with wall(http) as shown:
        await shown.of("tile", state="starting")
        await store.set_status(key, Role.INTERACTION, '{"state": "deciding"}')
        await shown.of("tile", state="live")
        await store.set_status(key, Role.INGESTION, '{"state": "reconnecting", "detail": "it is away"}')
        assert (await shown.of("tile", state="reconnecting"))["detail"] == "it is away"
        await store.set_status(key, Role.INGESTION, "no JSON")
        await store.set_status(key, Role.INTERACTION, '{"state": "stalled", "detail": "the engine is away"}')
        assert (await shown.of("tile", state="stalled"))["detail"] == "the engine is away"
        await placement.heartbeat(Role.CODEC, "codec-1", 0)
        assert (await shown.of("tile", state="capacity"))["detail"] == "every codec worker is full"
        await placement.retire(Role.CODEC, "codec-1")
        assert "no codec worker runs" in (await shown.of("tile", state="capacity"))["detail"]
        await http.delete(f"/v1/sessions/{session}")
        assert (await shown.of("tile", state="ended"))["detail"] == "the client ended it"
    assert any(received.kind == "session" and "vigil.session.ended" in received.data for received in shown.heard)


async def test_a_session_that_begins_gets_a_tile(http: aiohttp.ClientSession, workers: None) -> None:
    async with wall(http) as shown:
        assert (await shown.next())[1]["sessions"] == 0
        begun = await opened(http, "porch")
        assert (await shown.of("session"))["data"]["session"] == begun
        assert (await shown.of("tile"))["session"] == begun


async def test_open_alerts_stand_on_the_tile_and_their_events_come_at_once(
    http: aiohttp.ClientSession, session: str, store: SessionStore, bus: Bus
) -> None:
    fire = Alert(
        "a-1",
        "w-1",
        Watch("fire", Severity.WARNING),
        "Fire!",
        1_700_000_000_000_000,
        0,
        0,
        severities=(Severity.CRITICAL,),
    )
    closed, unconfirmed = replace(fire, id="a-2", is_open=False), replace(fire, id="a-3", is_confirmed=False)
    key = SessionKey("demo", session)
    async with wall(http) as shown:
        await shown.of("tile")
        await bus.publish_stored(alert(session))
        assert (await shown.of("alert"))["data"]["text"] == "Fire!"
        await store.take(key, 1)
        await store.commit(key, 1, Commit(SessionState(alerts=(fire, closed, unconfirmed))))
        assert (await shown.of("tile"))["alerts"] == [
            {
                "alert_id": "a-1",
                "watch": "fire",
                "severity": "critical",
                "text": "Fire!",
                "opened_at": "2023-11-14T22:13:20Z",
            }
        ]


async def test_a_client_that_comes_back_gets_every_tile_anew_and_each_missed_alert_once(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with wall(http) as shown:
        await shown.of("tile")
        await bus.publish_stored(alerted(session, 0))
        await shown.of("alert")
    for number in (1, 2):
        await bus.publish_stored(alerted(session, number))
    async with wall(http, after=shown.place) as again:
        await again.of("tile")
        await bus.publish_stored(alerted(session, 3))
        for _ in range(3):
            await again.of("alert")
    async with wall(http, after=again.place) as last:
        await last.of("tile")
        await bus.publish_stored(alerted(session, 4))
        await last.of("alert")
    places = [received.id for view in (shown, again, last) for received in view.heard if received.kind == "alert"]
    assert len(set(places)) == 5, "each under a place of its own, none twice"


async def test_without_an_id_nothing_of_the_past_comes(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    await bus.publish_stored(alerted(session, 0))
    async with wall(http) as shown:
        await shown.of("tile")
        await bus.publish_stored(alerted(session, 1))
        await shown.of("alert")
    assert [received.kind for received in shown.heard].count("alert") == 1


async def test_another_tenant_sees_and_hears_nothing_of_it(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    async with wall(http) as own, wall(rival) as theirs:
        await own.of("tile")
        assert (await theirs.next())[1]["sessions"] == 0
        await bus.publish_stored(decided(session, 1))
        await bus.publish_stored(alert(session))
        await own.of("alert")
        await own.of("tile", state="live")
        async with rival.get("/v1/sessions") as answer:  # time for what is on its way
            assert (await answer.json())["sessions"] == []
    assert [received.kind for received in theirs.heard] == ["status"]


async def test_a_tenant_has_only_so_many_streams(http: aiohttp.ClientSession, session: str) -> None:
    async with wall(http), wall(http), http.get("/v1/wall") as answer:
        assert answer.status == 429
        assert (await answer.json())["type"] == "urn:vigil:problem:too_many_streams"
    await eventually(lambda: REGISTRY.get_sample_value("vigil_gateway_event_streams") == 0, what="every slot is free")


async def test_several_viewers_see_the_same(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    async with wall(http) as first, wall(http) as second:
        for shown in (first, second):
            await shown.of("tile")
        await bus.publish_stored(decided(session, 3))
        tiles = [await shown.of("tile", state="live") for shown in (first, second)]
    assert tiles[0] == tiles[1]
