"""Who pushes a picture is told at once that its turn was dropped, and why, through every door."""

import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from vigil.contract.turn_dropped import DropReason
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.service import Service
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.images import jpeg, redness
from vigil.testing.reflected_grpc import reflected
from vigil.testing.scripted_decider import ScriptedDecider
from vigil_gateway.config import GatewaySettings

CHAT = "/v1/chat/completions"
MINE = {"x-session-id": "kitchen"}
KEY = SessionKey("demo", "kitchen")
RED, BLUE = jpeg((230, 30, 20)), jpeg((20, 30, 230))
WORDS = "the engine answered 500: it is on fire"
REASONS = [
    (DropReason.ENGINE_FAILED, 503, "turn_dropped"),
    (DropReason.ENGINE_REFUSED, 502, "turn_refused"),
    (DropReason.STORE, 503, "turn_dropped"),
    (DropReason.NOT_NEWER, 409, "time_not_later"),
    (DropReason.IDLE, 409, "turn_idle"),
    (DropReason.DAMAGED, 502, "turn_refused"),
    (DropReason.OVERTAKEN, 503, "turn_dropped"),
]


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, workers: None) -> AsyncIterator[ScriptedDecider]:
    """Workers that say whether a picture is red, unless they drop its turn."""
    said = {True: "Red.", False: "Not red."}
    async with ScriptedDecider(bus, store, lambda picture: said[redness(picture) > 0.5]).working() as working:
        yield working


def turn(picture: bytes = BLUE, question: str = "", **vigil: Any) -> dict[str, Any]:
    """A chat request with one picture."""
    url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    text = [{"type": "text", "text": question}] if question else []
    content = [{"type": "image_url", "image_url": {"url": url}}, *text]
    return {"model": "vigil-small", "messages": [{"role": "user", "content": content}], "vigil": vigil}


async def push(http: aiohttp.ClientSession, body: dict[str, Any], **headers: str) -> tuple[int, dict[str, Any], str]:
    """Status, the `vigil` part or the error, and what the answer says about sending it again."""
    async with http.post(CHAT, json=body, headers={**MINE, **headers}) as answer:
        found = await answer.json()
        return answer.status, found.get("vigil") or found["error"], answer.headers.get("x-should-retry", "")


@pytest.mark.parametrize(("reason", "status", "code"), REASONS, ids=[reason.name for reason, *_ in REASONS])
async def test_a_dropped_turn_is_told_at_once_in_the_words_of_who_dropped_it(
    gateway: Service[GatewaySettings],
    http: aiohttp.ClientSession,
    decider: ScriptedDecider,
    reason: DropReason,
    status: int,
    code: str,
) -> None:
    decider.drop = reason
    began_s = time.monotonic()
    answered, error, _ = await push(http, turn())
    assert (answered, error["code"]) == (status, code)
    assert error["message"].startswith(WORDS)
    assert time.monotonic() - began_s < gateway.settings.turn_deadline_s / 2, "long before the deadline"
    decider.drop = None
    assert (await push(http, turn(RED)))[1]["text"] == "Red.", "and the next picture is decided on"


async def test_another_picture_under_the_time_of_a_dropped_turn_gets_its_own_decision(
    http: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    decider.drop = DropReason.ENGINE_FAILED
    assert (await push(http, turn(RED, time_s=5.0)))[0] == 503
    decider.drop = None
    status, answer, _ = await push(http, turn(BLUE, time_s=5.0))
    assert (status, answer["time_s"], answer["text"]) == (200, 5.0, "Not red.")


async def test_a_dropped_turn_is_told_over_a_websocket(http: aiohttp.ClientSession, decider: ScriptedDecider) -> None:
    await push(http, turn())
    decider.drop = DropReason.ENGINE_FAILED
    async with http.ws_connect("/v1/sessions/kitchen/ws") as socket:
        await socket.send_json({"type": "push_frame", "id": 1, "jpeg": base64.b64encode(RED).decode()})
        async for message in socket:
            found = message.json()
            if found["type"] == "problem":
                break
    assert (found["id"], found["data"]["type"]) == (1, "urn:vigil:problem:turn_dropped")
    assert found["data"]["detail"] == WORDS


async def test_a_dropped_turn_is_told_over_grpc_and_the_call_goes_on(
    http: aiohttp.ClientSession, gateway: Service[GatewaySettings], decider: ScriptedDecider
) -> None:
    await push(http, turn())
    target = f"127.0.0.1:{gateway.settings.grpc_port}"
    picture = {"session": "kitchen", "picture": base64.b64encode(RED).decode()}
    async with (
        reflected(target, "vigil.v1.GatewayService", "a-key-of-demo") as service,
        service.talk("PushFrames") as call,
    ):
        decider.drop = DropReason.ENGINE_REFUSED
        await call.send(picture)
        refused = await call.receive()
        decider.drop = None
        await call.send(picture)
        decided = await call.receive()
    assert refused is not None
    assert (refused["problem"]["type"], refused["problem"]["detail"]) == ("urn:vigil:problem:turn_refused", WORDS)
    assert decided is not None
    assert decided["decision"]["text"] == "Red."
