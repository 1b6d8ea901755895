"""The main job: a camera burns, and a program that knows only NATS hears of it on the right second."""

import json
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from system import System, rest, subscriber

from vigil_recipe.render.camera import render_mp4
from vigil_recipe.world import Kind, Span, Split, make_episode

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]

FIRE_S, OUT_S = 5, 11


@pytest.fixture(scope="module")
def burning(videos: Path) -> Path:
    """A room in which it burns for six seconds, and a person falls whom nobody asked about."""
    spans = (Span(Kind.FIRE, FIRE_S, OUT_S), Span(Kind.FALL, 13, 17))
    episode = make_episode(901, Split.TEST, 22, spans=spans, layout="room")
    path = videos / "burning.mp4"
    render_mp4(episode, path)
    return path


async def test_a_plain_subscriber_hears_of_a_fire(vigil: System, burning: Path) -> None:
    watch = {"name": "fire", "text": "Alert me when a fire starts.", "severity": "critical", "hold_s": 3}
    async with subscriber(vigil, "vigil.v1.alert.demo.lobby.>") as alerts, rest(vigil) as gateway:
        session = await gateway.open(
            burning.as_uri(), source={"id": "lobby", "name": "Lobby, east door"}, watches=[watch]
        )
        arrival, subject, opened = await alerts.wait_for(lambda subject, _: subject.endswith(".opened"), 60)
        _, _, closed = await alerts.wait_for(lambda subject, _: subject.endswith(".closed"), 60)
        _, history = await gateway.call("GET", f"/v1/sessions/{session}/history")
        picture = await _snapshot(vigil, opened["data"]["snapshot"]["path"])
    data = opened["data"]
    assert subject == "vigil.v1.alert.demo.lobby.opened"
    assert opened["specversion"] == "1.0"
    assert data["text"] == "A fire has started."
    assert data["severity"] == "critical"
    assert data["source_name"] == "Lobby, east door"
    assert abs(data["time_s"] - FIRE_S) <= 2, history["turns"]
    assert 0.5 < data["p_speak"] <= 1
    captured = datetime.fromisoformat(data["capture_time"]).timestamp()
    assert data["latency_ms"] == pytest.approx(1000 * (_s(data["emit_time"]) - captured), abs=2)
    assert arrival - captured < 2.0, "the alert was delivered within two seconds of the frame"
    assert picture.startswith(b"\xff\xd8")
    assert closed["data"]["alert_id"] == data["alert_id"]
    assert OUT_S <= closed["data"]["time_s"] <= OUT_S + 6
    assert len([one for one in alerts.messages if one[1].endswith(".opened")]) == 1
    replies = [turn["text"] for turn in history["turns"] if turn["text"]]
    assert set(replies) == {"A fire has started."}


async def test_a_wrong_key_is_refused(vigil: System) -> None:
    async with rest(vigil, key="not-a-key") as gateway:
        status, problem = await gateway.call("GET", "/v1/sessions")
    assert status == 401
    assert problem["next_step"]


async def _snapshot(vigil: System, path: str) -> bytes:
    found = vigil.endpoints
    headers = {"Authorization": f"Bearer {found['api_key']}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(found["gateway_url"] + path) as answer:
        assert answer.status == 200, json.dumps(await answer.json())
        return await answer.read()


def _s(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()
