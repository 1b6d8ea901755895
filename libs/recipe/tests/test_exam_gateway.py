"""The gateway as the exam uses it: what is sent, how answers are read, and what is said when it refuses."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from vigil.core.probability import Probabilities
from vigil_recipe.exam.players.gateway import GatewayClient, heard
from vigil_recipe.exam.scoring.transcript import Heard, PlayFailed
from vigil_recipe.scenarios import Observed, Purpose

ANSWER = {
    "choices": [{"message": {"content": "</response> A fire has started."}}],
    "vigil": {"p": {"silent": 0.1, "speak": 0.8, "delegate": 0.1}, "latency_ms": 12.5},
}


@dataclass(slots=True)
class Gateway:
    """Answers by method and path, and notes what it was asked."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        key = f"{request.method} {request.path}"
        text = await request.text()
        self.asked.append((key, dict(request.headers), await request.json() if text else None))
        status, body = self.answers.get(key, (404, {"title": "not found"}))
        if self.busy:
            status, body = self.busy.pop(), {}
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, GatewayClient]]:
    made, app = Gateway(), web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield made, GatewayClient(http, f"{server.make_url('/')}", "key-1", "vigil-small", again_s=0)


async def test_a_turn_is_one_call_with_its_picture_and_its_time(gateway: tuple[Gateway, GatewayClient]) -> None:
    made, client = gateway
    made.answers["POST /v1/chat/completions"] = (200, ANSWER)
    turn = await client.turn("s-1", b"jpeg", 4.0, "What burns?", {"instructions": ["Count."]})
    assert turn == Heard(4.0, "</response> A fire has started.", Probabilities(0.1, 0.8, 0.1), 12.5)
    ((_, headers, body),) = made.asked
    assert (headers["Authorization"], headers["x-session-id"]) == ("Bearer key-1", "s-1")
    assert body["model"] == "vigil-small"
    assert body["vigil"] == {"time_s": 4.0, "instructions": ["Count."]}
    text, picture = body["messages"][0]["content"]
    assert text == {"type": "text", "text": "What burns?"}
    assert base64.b64decode(picture["image_url"]["url"].removeprefix("data:image/jpeg;base64,")) == b"jpeg"


async def test_a_turn_without_words_has_its_picture_alone(gateway: tuple[Gateway, GatewayClient]) -> None:
    made, client = gateway
    made.answers["POST /v1/chat/completions"] = (200, ANSWER)
    await client.turn("s-1", b"jpeg", 1.0)
    assert [part["type"] for part in made.asked[0][2]["messages"][0]["content"]] == ["image_url"]


async def test_what_stands_is_listed_with_its_kind_and_id(gateway: tuple[Gateway, GatewayClient]) -> None:
    made, client = gateway
    made.answers = {
        "POST /v1/sessions/s-1/instructions": (201, {"id": "i-1"}),
        "POST /v1/sessions/s-1/watches": (201, {"id": "w-1"}),
        "GET /v1/sessions/s-1/instructions": (200, {"instructions": [{"text": "Count.", "id": "i-1"}]}),
        "GET /v1/sessions/s-1/watches": (200, {"watches": [{"text": "A fire.", "id": "w-1"}]}),
        "DELETE /v1/sessions/s-1/watches/w-1": (204, ""),
    }
    assert await client.instruct("s-1", "Count.") == "i-1"
    assert await client.watch("s-1", {"text": "A fire."}) == "w-1"
    assert await client.standing("s-1") == {"Count.": ("instructions", "i-1"), "A fire.": ("watches", "w-1")}
    await client.clear("s-1", "watches", "w-1")
    assert made.asked[-1][0] == "DELETE /v1/sessions/s-1/watches/w-1"


async def test_questions_and_the_history(gateway: tuple[Gateway, GatewayClient]) -> None:
    made, client = gateway
    made.answers = {
        "POST /v1/sessions/s-1/queries": (202, {"id": "q-1"}),
        "GET /v1/sessions/s-1/history": (200, {"turns": [{"time_s": 1.0}]}),
    }
    await client.ask("s-1", "Who is there?")
    assert made.asked[0][2] == {"text": "Who is there?"}
    assert await client.history("s-1") == [{"time_s": 1.0}]


async def test_what_a_module_notices_is_of_the_second_that_the_next_turn_shows(
    gateway: tuple[Gateway, GatewayClient],
) -> None:
    made, client = gateway
    made.answers = {"POST /v1/sessions/s-1/observations": (202, {"id": "o-1"})}
    began = datetime.now(UTC)
    await client.observe("s-1", Observed(4, "faces", "face", "Tom is at the door", Purpose.NEEDED, 0.9))
    await client.observe("s-1", Observed(5, "sensors", "temperature", "it is 3 degrees", Purpose.IRRELEVANT))
    sure, unsure = (body for _, _, body in made.asked)
    times = [datetime.fromisoformat(body.pop("capture_time")) for body in (sure, unsure)]
    assert sure == {"module": "faces", "kind": "face", "text": "Tom is at the door", "confidence": 0.9}
    assert unsure == {"module": "sensors", "kind": "temperature", "text": "it is 3 degrees"}
    turn = timedelta(seconds=1)
    assert began + turn <= times[0] <= times[1] <= datetime.now(UTC) + turn


async def test_a_session_that_is_gone_has_ended(gateway: tuple[Gateway, GatewayClient]) -> None:
    made, client = gateway
    await client.end("s-1")
    assert [asked for asked, _, _ in made.asked] == ["DELETE /v1/sessions/s-1"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"title": "Bad request", "detail": "no such scenario"}, "no such scenario"),
        ({"error": {"message": "the model is unknown"}}, "the model is unknown"),
        ({"title": "Forbidden"}, "Forbidden"),
        ("<html>proxy</html>", "<html>proxy</html>"),
        ("[1]", "[1]"),
    ],
)
async def test_a_refusal_is_told_in_the_gateways_words(
    gateway: tuple[Gateway, GatewayClient], body: Any, said: str
) -> None:
    made, client = gateway
    made.answers["POST /v1/sessions"] = (400, body)
    with pytest.raises(PlayFailed) as refused:
        await client.call("POST", "/v1/sessions", {})
    assert str(refused.value) == f"the gateway refused POST /v1/sessions (400): {said}"


async def test_a_system_without_room_is_asked_again(gateway: tuple[Gateway, GatewayClient]) -> None:
    made, client = gateway
    made.answers["GET /v1/health"] = (200, {"takes_sessions": True})
    made.busy = [429, 503, 503]
    assert await client.call("GET", "/v1/health") == {"takes_sessions": True}
    assert len(made.asked) == 4


async def test_a_gateway_that_is_not_there_is_named() -> None:
    async with TestServer(web.Application()) as server:
        url = f"{server.make_url('/')}"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(PlayFailed, match=r"the gateway at http://127\.0\.0\.1:\d+ does not answer"):
            await GatewayClient(http, url, "key", "m").call("GET", "/v1/health")


@pytest.mark.parametrize("answer", [{}, {"choices": []}, {**ANSWER, "vigil": {"p": {}}}, {**ANSWER, "choices": []}])
def test_another_answer_is_no_turn(answer: dict[str, Any]) -> None:
    with pytest.raises(PlayFailed, match="the gateway's answer is no turn of Vigil's"):
        heard(1.0, answer)


def test_a_turn_without_probabilities_has_none() -> None:
    assert heard(2.0, {**ANSWER, "vigil": {"latency_ms": 3}}) == Heard(
        2.0, "</response> A fire has started.", None, 3.0
    )
