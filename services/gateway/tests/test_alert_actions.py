"""Alerts that people acknowledge and mute: stored once, in order, by whom, and heard by every subscriber."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import nats
import pytest
from prometheus_client import REGISTRY

from vigil.contract import subjects
from vigil.contract.streams import ALERTS
from vigil.contract.subject_tokens import AlertAction
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus, StoredMessage
from vigil.runtime.process.service import Service
from vigil.testing.alert_events import alert_event
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.handled import handled
from vigil.testing.servers import NatsServer
from vigil_gateway.alerts import acting
from vigil_gateway.alerts.acting import Acting
from vigil_gateway.alerts.reading import MAX_LIFE, AlertReader, Life
from vigil_gateway.api.errors import AlertClosed
from vigil_gateway.config import GatewaySettings

Json = dict[str, Any]


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """Keys of demo by role, one of them with a name, and one of another tenant."""
    keys = [
        ("a-key-of-demo", "demo", "operator", "Ann"),
        ("a-key-of-bo", "demo", "operator", ""),
        ("a-key-of-viewer", "demo", "viewer", "wall"),
        ("a-key-of-rival", "rival", "admin", "Rival"),
    ]
    path = tmp_path / "keys.json"
    entries = [
        {"sha256": hashlib.sha256(key.encode()).hexdigest(), "tenant": tenant, "role": role, "name": name}
        for key, tenant, role, name in keys
    ]
    path.write_text(json.dumps({"keys": entries}))
    return path


@pytest.fixture
async def bo(front: str) -> AsyncIterator[aiohttp.ClientSession]:
    """An operator whose key has no name."""
    async with aiohttp.ClientSession(front, headers={"Authorization": "Bearer a-key-of-bo"}) as session:
        yield session


async def told(http: aiohttp.ClientSession, path: str, status: int = 200, **body: Any) -> Json:
    async with http.post(f"/v1/alerts/{path}", json=body) as answer:
        found: Json = await answer.json(content_type=None)
        assert answer.status == status, found
        return found


async def shown(http: aiohttp.ClientSession, alert_id: str) -> Json:
    async with http.get(f"/v1/alerts/{alert_id}") as answer:
        found: Json = await answer.json()
        assert answer.status == 200, found
        return found


async def stored(bus: Bus, tenant: str = "demo") -> list[StoredMessage]:
    return list((await bus.stored(ALERTS, subjects.alerts_of(tenant), 1, 1_000)).messages)


async def kinds(bus: Bus) -> list[str]:
    """What happened, in the order of the stream."""
    return [message.subject.rpartition(".")[2] for message in await stored(bus)]


def counted(action: AlertAction, outcome: str) -> float:
    labels = {"action": action.value, "outcome": outcome}
    return REGISTRY.get_sample_value("vigil_gateway_alert_actions_total", labels) or 0.0


async def test_an_acknowledgement_is_stored_and_shown(http: aiohttp.ClientSession, bus: Bus) -> None:
    before = datetime.now(UTC)
    await bus.publish_stored(alert_event(1, "opened"))
    answer = await told(http, "a-1/acknowledge", note="on my way")
    assert (answer["acknowledged_by"], answer["acknowledged_note"], answer["open"]) == ("Ann", "on my way", True)
    assert before - timedelta(seconds=1) < datetime.fromisoformat(answer["acknowledged_at"]) < datetime.now(UTC)
    assert answer["text"] == "opened 1", "the model's words stay"
    message = (await stored(bus))[-1]
    assert message.subject == "vigil.v1.alert.demo.lobby.acknowledged"
    assert message.headers["Nats-Msg-Id"] == "demo.a-1.acknowledged.0"
    event = json.loads(message.payload)
    assert (event["type"], event["id"], event["subject"]) == ("vigil.alert.acknowledged", "a-1.acknowledged.0", "a-1")
    assert {name: event["data"][name] for name in ("state", "by", "note", "until", "session", "severity")} == {
        "state": "acknowledged",
        "by": "Ann",
        "note": "on my way",
        "until": None,
        "session": "s-1",
        "severity": "critical",
    }
    async with http.get("/v1/alerts?open=true") as listed:
        assert (await listed.json())["alerts"] == [answer]


async def test_to_acknowledge_again_stores_nothing_and_the_first_one_counts(
    http: aiohttp.ClientSession, bo: aiohttp.ClientSession, bus: Bus
) -> None:
    repeated = counted(AlertAction.ACKNOWLEDGED, "repeated")
    await bus.publish_stored(alert_event(1, "opened"))
    first = await told(http, "a-1/acknowledge", note="mine")
    assert await told(bo, "a-1/acknowledge", note="no, mine") == first
    await bus.publish_stored(alert_event(1, "closed", 1))
    assert (await told(http, "a-1/acknowledge"))["acknowledged_note"] == "mine", "also when it has closed since"
    assert await kinds(bus) == ["opened", "acknowledged", "closed"]
    assert counted(AlertAction.ACKNOWLEDGED, "repeated") == repeated + 2


async def test_a_key_without_a_name_is_told_by_its_id(bo: aiohttp.ClientSession, bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    digest = hashlib.sha256(b"a-key-of-bo").hexdigest()
    by = (await told(bo, "a-1/acknowledge"))["acknowledged_by"]
    assert by
    assert digest.startswith(by)
    assert by != digest


async def test_two_gateways_that_are_asked_at_once_store_it_once(
    http: aiohttp.ClientSession, settings: GatewaySettings, bus: Bus
) -> None:
    """Each gateway reads the alert before either has stored anything: the message's id and its place decide."""
    for number in range(10):
        await bus.publish_stored(alert_event(number, "opened", source_id=f"camera-{number % 3}"))
    readers = [AlertReader(bus) for _ in range(4)]
    asked = [
        acting.acknowledge(bus, reader, Acting("demo", f"a-{number}", f"gateway {place}"), "")
        for number in range(10)
        for place, reader in enumerate(readers)
    ]
    found = await asyncio.gather(*asked)
    assert sorted(await kinds(bus)) == ["acknowledged"] * 10 + ["opened"] * 10
    told_by = {(entry.newest.subject, entry.actions.acknowledged_by) for entry in found if entry.actions}
    assert len(told_by) == 10, "all are told the same"


async def test_an_alert_that_has_closed_or_never_was(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, bus: Bus
) -> None:
    for outgoing in (alert_event(1, "opened"), alert_event(1, "closed", 1, reason="quiet for 5 s")):
        await bus.publish_stored(outgoing)
    await bus.publish_stored(alert_event(2, "opened"))
    for path, body in (("acknowledge", {}), ("mute", {"minutes": 5})):
        closed = await told(http, f"a-1/{path}", 409, **body)
        assert closed["type"] == "urn:vigil:problem:alert_closed"
        assert closed["detail"] == "the alert 'a-1' has closed (quiet for 5 s)"
        assert closed["next_step"]
        for nowhere in ("a-3", "a", "a-2.acknowledged", "*", ">", "x" * 250, "a-2%2f", "%00"):
            unknown = await told(http, f"{nowhere}/{path}", 404, **body)
            assert unknown["type"] in ("urn:vigil:problem:unknown_alert", "urn:vigil:problem:no_such_path")
        theirs = await told(rival, f"a-2/{path}", 404, **body)
        assert theirs["detail"] == "there is no alert 'a-2'"
    async with rival.get("/v1/alerts/a-2") as answer:
        assert answer.status == 404
    assert await kinds(bus) == ["opened", "closed", "opened"]


async def test_a_viewer_sees_and_does_nothing(viewer: aiohttp.ClientSession, bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    for path in ("acknowledge", "mute"):
        assert (await told(viewer, f"a-1/{path}", 403))["type"] == "urn:vigil:problem:role_too_low"
    assert (await shown(viewer, "a-1"))["acknowledged_by"] is None
    assert await kinds(bus) == ["opened"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("acknowledge", {"note": "x" * 501}),
        ("acknowledge", {"note": 1}),
        ("acknowledge", {"minutes": 5}),
        ("mute", {"minutes": -1}),
        ("mute", {"minutes": 10_081}),
        ("mute", {"minutes": "30"}),
        ("mute", {"minutes": 1.5}),
    ],
)
async def test_a_wrong_body_is_refused(http: aiohttp.ClientSession, bus: Bus, path: str, body: Json) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    assert (await told(http, f"a-1/{path}", 422, **body))["type"] == "urn:vigil:problem:invalid_request"
    assert await kinds(bus) == ["opened"]


async def test_a_mute_lasts_until_a_whole_minute_and_the_newest_holds(http: aiohttp.ClientSession, bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    asked = datetime.now(UTC)
    until = datetime.fromisoformat((await told(http, "a-1/mute", minutes=30))["muted_until"])
    answered = datetime.now(UTC)
    assert (until.second, until.microsecond) == (0, 0)
    assert asked + timedelta(minutes=30) <= until <= answered + timedelta(minutes=31)
    longer = await told(http, "a-1/mute", minutes=60, note="maintenance")
    until = datetime.fromisoformat(longer["muted_until"])
    assert answered + timedelta(minutes=60) <= until <= datetime.now(UTC) + timedelta(minutes=61)
    assert longer["reason"].startswith("muted by Ann until ")
    assert longer["reason"].endswith(": maintenance")
    over = await told(http, "a-1/mute", minutes=0)
    assert datetime.fromisoformat(over["muted_until"]) <= datetime.now(UTC)
    assert await told(http, "a-1/mute", minutes=0) == over, "there is nothing left to end"
    ids = [message.headers["Nats-Msg-Id"] for message in await stored(bus)]
    assert ids == ["demo.a-1.0", "demo.a-1.muted.0", "demo.a-1.muted.1", "demo.a-1.muted.2"]


async def test_a_mute_that_is_asked_for_twice_is_stored_once(bus: Bus) -> None:
    """A client that lost the answer asks again; the same minute is the same mute."""
    await bus.publish_stored(alert_event(1, "opened"))
    who = Acting("demo", "a-1", "Ann")
    entries = await asyncio.gather(*(acting.mute(bus, AlertReader(bus), who, 10_000, "") for _ in range(5)))
    untils = {entry.actions.muted_until for entry in entries if entry.actions}
    assert (await kinds(bus)).count("muted") == len(untils)
    assert len(untils) <= 2, "one, unless a minute ended between them"


class Interrupted(AlertReader):
    """A reader behind which something is stored before whoever read it can act on it."""

    def __init__(self, bus: Bus, *meanwhile: Any) -> None:
        super().__init__(bus)
        self._store = bus
        self._meanwhile = list(meanwhile)

    async def life(self, tenant: str, alert_id: str) -> Life:
        found = await super().life(tenant, alert_id)
        if self._meanwhile:
            await self._store.publish_stored(self._meanwhile.pop(0))
        return found


async def test_nothing_is_stored_behind_the_closing_of_its_alert(bus: Bus) -> None:
    """The alert closes between the look at it and the acknowledgement."""
    await bus.publish_stored(alert_event(1, "opened"))
    with pytest.raises(AlertClosed):
        await acting.acknowledge(bus, Interrupted(bus, alert_event(1, "closed", 1)), Acting("demo", "a-1", "Ann"), "")
    assert await kinds(bus) == ["opened", "closed"]


async def test_an_alert_that_goes_on_meanwhile_is_acknowledged_behind_that(bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    meanwhile = [alert_event(1, "updated", number, text=f"words {number}") for number in range(1, 6)]
    reader = Interrupted(bus, *meanwhile, alert_event(2, "opened"))
    await acting.acknowledge(bus, reader, Acting("demo", "a-1", "Ann"), "")
    messages = await stored(bus)
    assert await kinds(bus) == ["opened", *["updated"] * 5, "opened", "acknowledged"]
    assert json.loads(messages[-1].payload)["data"]["text"] == "words 5"


async def test_an_alert_of_another_source_does_not_hold_it_up(bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    elsewhere = [alert_event(number, "opened", source_id="yard") for number in range(2, 30)]
    await acting.acknowledge(bus, Interrupted(bus, *elsewhere), Acting("demo", "a-1", "Ann"), "")
    assert await kinds(bus) == ["opened", "opened", "acknowledged"]


async def test_a_pager_on_nats_hears_it_without_asking_anybody(
    http: aiohttp.ClientSession, nats_server: NatsServer, bus: Bus
) -> None:
    pager = await nats.connect(nats_server.url)
    heard = await pager.subscribe("vigil.v1.alert.demo.*.*")
    await handled(pager)
    await bus.publish_stored(alert_event(1, "opened"))
    await told(http, "a-1/acknowledge", note="mine")
    await told(http, "a-1/mute", minutes=5)
    await bus.publish_stored(alert_event(1, "closed", 1))
    events = [json.loads((await heard.next_msg(timeout=DEADLINE_S)).data) for _ in range(4)]
    await pager.close()
    assert [event["data"]["state"] for event in events] == ["opened", "acknowledged", "muted", "closed"]
    assert {event["data"]["alert_id"] for event in events} == {"a-1"}
    assert events[1]["data"]["by"] == "Ann"


async def test_the_events_of_a_session_tell_it(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened", session=session))
    await bus.publish_stored(alert_event(2, "opened", session="s-other"))
    async with asyncio.timeout(DEADLINE_S), http.get(f"/v1/sessions/{session}/events") as answer:
        assert b"status" in await answer.content.readline()
        await told(http, "a-2/acknowledge")
        await told(http, "a-1/acknowledge", note="mine")
        line = b""
        while b"vigil.alert." not in line:
            line = await answer.content.readline()
    event = json.loads(line.removeprefix(b"data: "))
    assert (event["type"], event["subject"], event["data"]["note"]) == ("vigil.alert.acknowledged", "a-1", "mine")


async def test_one_alert_with_its_life(http: aiohttp.ClientSession, viewer: aiohttp.ClientSession, bus: Bus) -> None:
    await bus.publish_stored(alert_event(7, "opened"))
    await bus.publish_stored(alert_event(8, "opened"))
    await bus.publish_stored(alert_event(7, "updated", 1, decision_sequence=9, text="It grows."))
    await told(http, "a-7/acknowledge", note="mine")
    await bus.publish_stored(alert_event(7, "closed", 2, decision_sequence=12, reason="quiet for 5 s"))
    found = await shown(viewer, "a-7")
    assert (found["open"], found["opened_sequence"], found["events_left_out"]) == (False, 7, 0)
    assert (found["acknowledged_by"], found["reason"]) == ("Ann", "quiet for 5 s")
    assert [(event["event"], event["decision_sequence"], event["by"]) for event in found["events"]] == [
        ("opened", 7, None),
        ("updated", 9, None),
        ("acknowledged", 9, "Ann"),
        ("closed", 12, None),
    ]
    assert found["events"][1]["text"] == "It grows."
    assert found["events"][0]["id"] == "a-7.0"


async def test_of_a_long_life_the_first_and_the_newest_events_are_kept(bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    for number in range(1, MAX_LIFE + 5):
        outgoing = alert_event(1, "updated", number)
        await bus.publish(outgoing.subject, outgoing.payload, {"Nats-Msg-Id": outgoing.message_id})
    await bus.publish_stored(alert_event(1, "updated", MAX_LIFE + 5))  # once it is there, all before it are
    life = await AlertReader(bus).life("demo", "a-1")
    states = [json.loads(payload)["data"]["updates"] for payload in life.events]
    assert states == [0, *range(6, MAX_LIFE + 6)]
    assert life.count - len(life.events) == 5


async def test_an_alert_whose_opening_is_not_kept_any_more(http: aiohttp.ClientSession, bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "updated", 40_000))
    assert (await told(http, "a-1/acknowledge"))["acknowledged_by"] == "Ann"
    assert (await shown(http, "a-1"))["opened_sequence"] is None


async def test_who_acknowledged_is_known_also_when_that_is_older_than_what_is_listed(bus: Bus) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    reader = AlertReader(bus)
    await acting.acknowledge(bus, reader, Acting("demo", "a-1", "Ann"), "")
    since = datetime.now(UTC)
    await bus.publish_stored(alert_event(1, "closed", 1))
    entry = (await reader.since("demo", since)).entries["a-1"]
    assert (entry.shown().acknowledged_by, entry.is_open) == ("Ann", False)


async def test_without_nats_nothing_is_told(
    http: aiohttp.ClientSession, gateway: Service[GatewaySettings], nats_server: NatsServer, bus: Bus
) -> None:
    await bus.publish_stored(alert_event(1, "opened"))
    await nats_server.kill()
    answer = await told(http, "a-1/acknowledge", 503)
    assert answer["type"] == "urn:vigil:problem:bus_unavailable"


def test_every_kind_of_event_has_a_place_of_its_own() -> None:
    assert not {*AlertState} & {*AlertAction}
