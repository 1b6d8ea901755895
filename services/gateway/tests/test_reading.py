"""History, snapshots, health, metrics: what is only read."""

from typing import Any

import aiohttp
import pytest

from vigil.contract.snapshots import snapshot_name
from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionState
from vigil.core.turn import Exchange, Task, Turn
from vigil.runtime.bus.client import Bus
from vigil.runtime.process import metrics
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer

NOTICED = ("faces (face, 0.92): Anna is at the door",)
TURNS = (
    Turn(0, 0, (), "</silence>"),
    Turn(1, 1_500, (), "</response> A person comes in.", queries=("Who is there?",), observed=NOTICED),
    Turn(2, 2_000, (), "</response> Let me look. </delegation> Who is this?"),
)
TASK = Task("s-1-1", "Who is this?", "One moment.", 2_000, 122_000)


def exchange(query: str, asked_s: float, state: str, **changes: Any) -> dict[str, Any]:
    """An exchange of the history; nothing was answered unless `changes` say so."""
    empty: dict[str, Any] = {"answer": "", "answered_s": None, "task": "", "note": "", "recalled": []}
    return {"query": query, "asked_s": asked_s, "state": state, **empty, **changes}


async def test_history_shows_the_last_turns_and_the_dialogue(
    http: aiohttp.ClientSession, session: str, store: SessionStore
) -> None:
    key = SessionKey("demo", session)
    await store.take(key, 1)
    for number, turn in enumerate(TURNS):
        delegated = Exchange("How many?", 2_000, task=TASK)
        dialogue = (Exchange("Who is there?", 1_500, "A person.", 2_000), delegated, Exchange("Why?", 2_000))
        state = SessionState(turn.sequence + 1, turn.time_ms, Chunk(turns=TURNS[: number + 1]), dialogue=dialogue)
        await store.commit(key, 1, Commit(state, turn))
    async with http.get(f"/v1/sessions/{session}/history", params={"limit": 2}) as answer:
        shown = await answer.json()
    assert shown["turns"] == [
        {
            "sequence": 1,
            "time_s": 1.5,
            "action": "speak",
            "text": "A person comes in.",
            "question": "",
            "reply": "</response> A person comes in.",
            "queries": ["Who is there?"],
            "observed": ["faces (face, 0.92): Anna is at the door"],
        },
        {
            "sequence": 2,
            "time_s": 2.0,
            "action": "delegate",
            "text": "Let me look.",
            "question": "Who is this?",
            "reply": "</response> Let me look. </delegation> Who is this?",
            "queries": [],
            "observed": [],
        },
    ]
    assert shown["dialogue"] == [
        exchange("Who is there?", 1.5, "answered", answer="A person.", answered_s=2.0),
        exchange("How many?", 2.0, "delegated", task="s-1-1", note="One moment."),
        exchange("Why?", 2.0, "open"),
    ]
    async with http.get(f"/v1/sessions/{session}") as answer:
        assert (await answer.json())["progress"]["time_s"] == 2.0


@pytest.mark.parametrize("limit", ["0", "1001", "many"])
async def test_a_bad_limit_is_refused(http: aiohttp.ClientSession, session: str, limit: str) -> None:
    async with http.get(f"/v1/sessions/{session}/history", params={"limit": limit}) as answer:
        assert answer.status == 422
        assert str((await answer.json())["detail"]).startswith("limit: ")


async def test_a_snapshot_is_its_tenants_only(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, bus: Bus
) -> None:
    await bus.put_snapshot(snapshot_name("demo", "s-1-fire-4"), b"\xff\xd8 a picture")
    async with http.get("/v1/alerts/s-1-fire-4/snapshot") as answer:
        assert (answer.status, answer.content_type) == (200, "image/jpeg")
        assert await answer.read() == b"\xff\xd8 a picture"
    for client, alert in ((rival, "s-1-fire-4"), (http, "s-1-fire-5"), (rival, "..%2Fdemo%2Fs-1-fire-4")):
        async with client.get(f"/v1/alerts/{alert}/snapshot") as answer:
            assert answer.status == 404


async def test_health_tells_how_full_the_workers_are_without_a_key(nobody: aiohttp.ClientSession, session: str) -> None:
    async with nobody.get("/v1/health") as answer:
        shown = await answer.json()
    role = {"workers": 1, "capacity": 2, "open_sessions": 1}
    idle = role | {"open_sessions": 0}  # the session is silent
    assert shown == {
        "ready": True,
        "takes_sessions": True,
        "sources": {"file": True, "rtsp": True, "http": True, "pushed": True, "webrtc": True},
        "checks": {"nats": "ok", "redis": "ok", "ingestion": "ok"},
        "capacity": {"ingestion": role, "codec": role, "interaction": role, "asr": idle, "tts": idle},
    }
    assert session not in str(shown)


async def test_without_ingestion_the_gateway_is_ready_and_health_says_that_no_session_is_taken(
    nobody: aiohttp.ClientSession, session: str, ingestion: ScriptedIngestion
) -> None:
    await ingestion.stop()
    async with nobody.get("/v1/health") as answer:
        shown = await answer.json()
    assert (shown["ready"], shown["takes_sessions"]) == (True, False)
    assert shown["sources"] == {"file": False, "rtsp": False, "http": False, "pushed": True, "webrtc": True}
    assert shown["checks"]["ingestion"] == "ingestion cannot be asked (UNAVAILABLE): no camera or file can be watched"
    async with nobody.get("/readyz") as answer:
        assert answer.status == 200


async def test_a_gateway_that_is_not_ready_takes_no_session(
    nobody: aiohttp.ClientSession, session: str, nats_server: NatsServer
) -> None:
    await nats_server.kill()
    async with nobody.get("/v1/health") as answer:
        shown = await answer.json()
    assert (shown["ready"], shown["takes_sessions"]) == (False, False)
    assert set(shown["sources"].values()) == {False}


async def test_a_method_that_is_no_word_of_http_is_no_label_of_its_own(http: aiohttp.ClientSession) -> None:
    for word in ("PROPFIND", "SUBSCRIBE"):
        async with http.request(word, "/v1/sessions") as answer:
            assert answer.status == 405
    text = metrics.render().decode()
    assert 'method="other"' in text
    assert "PROPFIND" not in text
    assert "SUBSCRIBE" not in text


async def test_metrics_count_requests_by_route_and_never_by_session(http: aiohttp.ClientSession, session: str) -> None:
    async with http.get(f"/v1/sessions/{session}") as answer:
        assert answer.status == 200
    text = metrics.render().decode()
    line = 'vigil_gateway_requests_total{method="GET",route="/v1/sessions/{session}",status="200"}'
    assert line in text
    assert session not in text
