"""Alerts, open and past, as they are listed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from vigil.contract import subjects
from vigil.contract.outgoing import CLOUDEVENT, Outgoing
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus
from vigil_gateway.api.errors import TooManyAlertEvents
from vigil_gateway.api.problems import problem_of
from vigil_gateway.sessions.alerts import read_alerts

STATES = {"opened": AlertState.OPENED, "updated": AlertState.UPDATED, "closed": AlertState.CLOSED}


def event(number: int, state: str, updates: int = 0, **changes: Any) -> Outgoing:
    """An event of alert a-<number>, as interaction stores it."""
    data: dict[str, Any] = {
        "alert_id": f"a-{number}",
        "watch": "fire",
        "severity": "critical",
        "severities": ["warning", "critical"],
        "state": state,
        "reason": "the model spoke",
        "tenant": "demo",
        "source_id": "lobby",
        "source_name": "Lobby",
        "session": "s-1",
        "instruction_id": "w-1",
        "text": f"{state} {number}",
        "p_speak": 0.9,
        "capture_time": "2026-01-31T12:00:00.000Z",
        "emit_time": "2026-01-31T12:00:00.000Z",
        "latency_ms": 1.0,
        "opened_at": "2026-01-31T12:00:00.000Z",
        "time_s": 1.0,
        "decision_sequence": number,
        "updates": updates,
        "news": True,
        "snapshot": {"bucket": "b", "key": "k", "path": f"/v1/alerts/a-{number}/snapshot", "media_type": "image/jpeg"}
        if state == "opened"
        else None,
        **changes,
    }
    envelope = {
        "specversion": "1.0",
        "id": f"a-{number}.{updates}",
        "source": "/tenants/demo/sources/lobby",
        "type": f"vigil.alert.{state}",
        "subject": f"a-{number}",
        "time": "2026-01-31T12:00:07.000Z",
        "data": data,
    }
    subject = subjects.alert(data["tenant"], data["source_id"], STATES[state])
    return Outgoing(subject, f"{data['tenant']}.{envelope['id']}", json.dumps(envelope).encode(), CLOUDEVENT)


async def listed(http: aiohttp.ClientSession, query: str = "") -> dict[str, Any]:
    async with http.get(f"/v1/alerts{query}") as answer:
        found: dict[str, Any] = await answer.json()
        assert answer.status == 200, found
        return found


async def ids(http: aiohttp.ClientSession, query: str = "") -> list[str]:
    return [alert["alert_id"] for alert in (await listed(http, query))["alerts"]]


async def test_an_alert_is_listed_once_with_what_its_newest_event_says(http: aiohttp.ClientSession, bus: Bus) -> None:
    assert await listed(http) == {"alerts": [], "next": None}
    for outgoing in (event(1, "opened"), event(1, "updated", 1), event(1, "closed", 2, reason="quiet")):
        await bus.publish_stored(outgoing)
    (alert,) = (await listed(http))["alerts"]
    assert alert == {
        "alert_id": "a-1",
        "open": False,
        "watch": "fire",
        "severity": "critical",
        "severities": ["warning", "critical"],
        "session": "s-1",
        "source_id": "lobby",
        "source_name": "Lobby",
        "instruction_id": "w-1",
        "text": "closed 1",
        "reason": "quiet",
        "p_speak": 0.9,
        "opened_at": "2026-01-31T12:00:00Z",
        "updated_at": "2026-01-31T12:00:07Z",
        "closed_at": "2026-01-31T12:00:07Z",
        "updates": 2,
        "snapshot_path": "/v1/alerts/a-1/snapshot",
    }


async def test_open_and_past_ones_of_a_session_and_of_a_time(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, bus: Bus
) -> None:
    for outgoing in (
        event(1, "opened"),
        event(2, "opened", session="s-2"),
        event(1, "closed", 1),
        event(3, "opened"),
        event(4, "opened", tenant="rival"),
    ):
        await bus.publish_stored(outgoing)
    await bus.publish(subjects.alert("demo", "lobby", AlertState.OPENED), b"not an event")
    assert await ids(http) == ["a-3", "a-2", "a-1"]
    assert await ids(http, "?open=true") == ["a-3", "a-2"]
    assert await ids(http, "?open=false") == ["a-1"]
    assert await ids(http, "?session=s-2") == ["a-2"]
    now = datetime.now(UTC)
    assert await ids(http, f"?since={(now + timedelta(minutes=1)):%Y-%m-%dT%H:%M:%SZ}") == []
    assert await ids(http, f"?since={(now - timedelta(minutes=1)):%Y-%m-%dT%H:%M:%SZ}&open=false") == ["a-1"]
    assert await ids(rival) == ["a-4"]


async def test_pages_join_without_a_gap_and_without_an_overlap(http: aiohttp.ClientSession, bus: Bus) -> None:
    for number in range(7):
        await bus.publish_stored(event(number, "opened"))
    found, query = [], "?limit=3"
    while True:
        page = await listed(http, query)
        found += [alert["alert_id"] for alert in page["alerts"]]
        if page["next"] is None:
            break
        await bus.publish_stored(event(100 + len(found), "opened"))  # one that comes meanwhile is on no later page
        query = f"?limit=3&before={page['next']}"
    assert found == [f"a-{number}" for number in range(6, -1, -1)]


async def test_the_stream_is_read_page_by_page_and_not_beyond_a_bound(bus: Bus) -> None:
    for number in range(7):
        await bus.publish_stored(event(number, "opened"))
    since = datetime.now(UTC) - timedelta(minutes=1)
    book = await read_alerts(bus, "demo", since, page_size=3)
    assert list(book.entries) == [f"a-{number}" for number in range(7)]
    with pytest.raises(TooManyAlertEvents) as refused:
        await read_alerts(bus, "demo", since, page_size=3, most=6)
    row = problem_of(refused.value).row
    assert (row.status, row.kind, row.next_step) == (422, "too_many_events", "Give a later `since`.")


WRONG = [
    "open=perhaps",
    "since=yesterday",
    "since=0.5",
    "since=1767225600",
    "since=2026-01-31T12:00:00",
    "limit=0",
    "before=x",
]


@pytest.mark.parametrize("query", WRONG)
async def test_a_wrong_question_is_refused(http: aiohttp.ClientSession, query: str) -> None:
    async with http.get(f"/v1/alerts?{query}") as answer:
        assert answer.status == 422


async def test_nobody_lists_alerts_without_a_key(nobody: aiohttp.ClientSession) -> None:
    async with nobody.get("/v1/alerts") as answer:
        assert answer.status == 401
