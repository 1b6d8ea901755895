"""Alerts, open and past, as they are listed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from vigil.contract import subjects
from vigil.core.alert import AlertState
from vigil.runtime.bus.client import Bus
from vigil.testing.alert_events import alert_event as event
from vigil_gateway.alerts.reading import AlertReader
from vigil_gateway.api.errors import TooManyAlertEvents
from vigil_gateway.api.problems import problem_of


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
        "acknowledged_by": None,
        "acknowledged_at": None,
        "acknowledged_note": None,
        "muted_until": None,
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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("watch=fall", ["a-2"]),
        ("severity=info", ["a-3"]),
        ("severity=critical", ["a-2", "a-1"]),
        ("source=yard", ["a-3"]),
        ("source=yard&watch=fall", []),
        ("acknowledged=true", ["a-1"]),
        ("acknowledged=false", ["a-3", "a-2"]),
        ("acknowledged=false&severity=critical&open=true", ["a-2"]),
    ],
)
async def test_what_alerts_are_selected_by(http: aiohttp.ClientSession, bus: Bus, query: str, found: list[str]) -> None:
    for outgoing in (
        event(1, "opened"),
        event(2, "opened", watch="fall"),
        event(3, "opened", severity="info", source_id="yard"),
    ):
        await bus.publish_stored(outgoing)
    async with http.post("/v1/alerts/a-1/acknowledge", json={}) as answer:
        assert answer.status == 200
    assert await ids(http, f"?{query}") == found


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
    book = await AlertReader(bus).since("demo", since, page_size=3)
    assert list(book.entries) == [f"a-{number}" for number in range(7)]
    with pytest.raises(TooManyAlertEvents) as refused:
        await AlertReader(bus).since("demo", since, page_size=3, most=6)
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
    "severity=urgent",
    "acknowledged=perhaps",
]


@pytest.mark.parametrize("query", WRONG)
async def test_a_wrong_question_is_refused(http: aiohttp.ClientSession, query: str) -> None:
    async with http.get(f"/v1/alerts?{query}") as answer:
        assert answer.status == 422


async def test_nobody_lists_alerts_without_a_key(nobody: aiohttp.ClientSession) -> None:
    async with nobody.get("/v1/alerts") as answer:
        assert answer.status == 401
