"""A picture that is sent again is recognised by either of two gateways, asked about once, and never dated as now."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from vigil.contract.turn_dropped import DropReason
from vigil.core.command import Ask
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg, redness
from vigil.testing.scripted_decider import ScriptedDecider
from vigil_gateway.api.problems import INTERNAL, TABLE, Problem
from vigil_gateway.api.turn_errors import TurnRefused
from vigil_gateway.openai.retry import should_retry
from vigil_gateway.pushed.repeat import sent

CHAT = "/v1/chat/completions"
MINE = {"x-session-id": "kitchen"}
KEY = SessionKey("demo", "kitchen")
RED, BLUE = jpeg((230, 30, 20)), jpeg((20, 30, 230))
AGAIN = {"x-stainless-retry-count": "1"}
FIRE = {"name": "fire", "text": "Alert me when a fire starts."}


@pytest.fixture
def replicas() -> int:
    """A repeat may come to the other gateway."""
    return 2


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, workers: None) -> AsyncIterator[ScriptedDecider]:
    """Workers that say whether a picture is red, unless they drop its turn."""
    said = {True: "Red.", False: "Not red."}
    async with ScriptedDecider(bus, store, lambda picture: said[redness(picture) > 0.5]).working() as working:
        yield working


def turn(picture: bytes = RED, **vigil: Any) -> dict[str, Any]:
    """A chat request with one picture."""
    url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    return {"model": "vigil-small", "messages": [{"role": "user", "content": content}], "vigil": vigil}


async def push(http: aiohttp.ClientSession, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """The `vigil` part of the answer. Fails when the picture is refused."""
    async with http.post(CHAT, json=body, headers={**MINE, **headers}) as answer:
        found = await answer.json()
        assert answer.status == 200, found
        decision: dict[str, Any] = found["vigil"]
        return decision


async def refused(http: aiohttp.ClientSession, body: dict[str, Any], **headers: str) -> tuple[int, str, str]:
    """Status, code and what the refusal says about sending the call again; it waits for no turn."""
    began_s = time.monotonic()
    async with http.post(CHAT, json=body, headers={**MINE, **headers}) as answer:
        found = await answer.json()
        assert time.monotonic() - began_s < 15.0, "the deadline of a turn is 30 s"
        return answer.status, found["error"]["code"], answer.headers["x-should-retry"]


async def test_a_repeat_of_one_time_and_picture_gets_that_turns_decision(
    http: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    first = await push(http, turn(time_s=5.0))
    for _ in range(3):
        assert await push(http, turn(time_s=5.0)) == first
    assert decider.seen[KEY] == [5_000], "it is shown once"


async def test_what_is_no_repeat_is_not_answered_from_an_earlier_turn(
    http: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    await push(http, turn(RED, time_s=5.0))
    assert await refused(http, turn(BLUE, time_s=5.0)) == (409, "time_not_later", "false"), "another picture"
    assert (await push(http, turn(RED, time_s=6.0)))["time_s"] == 6.0, "another time"
    assert await refused(http, turn(RED, time_s=5.0)) == (409, "time_not_later", "false"), "its decision is stale"
    assert decider.seen[KEY] == [5_000, 6_000]


async def test_pictures_of_now_are_new_unless_the_client_says_that_they_come_again(
    http: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    first, second = await push(http, turn()), await push(http, turn())
    assert second["sequence"] == first["sequence"] + 1, "a still scene looks the same twice"
    assert await push(http, turn(), **AGAIN) == second
    assert await refused(http, turn(BLUE), **AGAIN) == (409, "picture_old", "false"), "it is of now no more"
    assert len(decider.seen[KEY]) == 2


async def test_an_idempotency_key_names_a_call(http: aiohttp.ClientSession, decider: ScriptedDecider) -> None:
    first = await push(http, turn(), **{"Idempotency-Key": "call-1"})
    assert await push(http, turn(), **{"Idempotency-Key": "call-1"}) == first
    assert (await push(http, turn(), **{"Idempotency-Key": "call-2"}))["sequence"] == first["sequence"] + 1


async def test_a_key_that_every_call_has_is_refused(http: aiohttp.ClientSession, decider: ScriptedDecider) -> None:
    key = {**MINE, "Idempotency-Key": "always"}
    first = await push(http, turn(RED), **key)
    for other in (turn(BLUE), turn(RED, time_s=90.0)):
        async with http.post(CHAT, json=other, headers=key) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (422, "key_used")
    assert await push(http, turn(RED), **key) == first


async def test_another_question_about_the_same_picture_is_not_lost(
    http: aiohttp.ClientSession, decider: ScriptedDecider, store: SessionStore
) -> None:
    await push(http, turn(time_s=5.0))
    asking = turn(time_s=5.0)
    asking["messages"][0]["content"].append({"type": "text", "text": "Who is there?"})
    assert await refused(http, asking) == (409, "time_not_later", "false")
    assert [command.text for command in await store.commands(KEY) if isinstance(command, Ask)] == ["Who is there?"]


@pytest.mark.parametrize("headers", [AGAIN, {"Idempotency-Key": "call-1"}], ids=["counted", "with a key"])
async def test_a_dropped_picture_of_now_keeps_its_first_time_when_it_is_sent_again(
    http: aiohttp.ClientSession, decider: ScriptedDecider, headers: dict[str, str]
) -> None:
    await push(http, turn(BLUE))
    first_headers = {name: value for name, value in headers.items() if name == "Idempotency-Key"}
    decider.drop = DropReason.ENGINE_FAILED
    assert await refused(http, turn(), **first_headers) == (503, "turn_dropped", "false")
    decider.drop = None
    again = await push(http, turn(), **headers)
    _, dropped, decided = decider.seen[KEY]
    assert dropped == decided == round(again["time_s"] * 1_000)
    assert again["text"] == "Red."


async def test_a_first_call_that_was_dropped_may_come_again_with_its_watches(
    http: aiohttp.ClientSession, decider: ScriptedDecider, store: SessionStore
) -> None:
    decider.drop = DropReason.ENGINE_FAILED
    assert await refused(http, turn(time_s=0.0, watches=[FIRE])) == (503, "turn_dropped", "true")
    decider.drop = None
    assert (await push(http, turn(time_s=0.0, watches=[FIRE])))["time_s"] == 0.0
    assert len(await store.commands(KEY)) == 1, "they are given once"


async def test_a_repeat_of_a_turn_in_flight_is_refused_at_once(
    http: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    first = asyncio.create_task(push(http, turn(time_s=5.0)))
    await eventually(lambda: decider.seen[KEY] == [5_000], what="the picture is shown")
    assert await refused(http, turn(time_s=5.0)) == (429, "turn_in_flight", "true")
    assert await refused(http, turn()) == (429, "turn_in_flight", "false"), "a picture of now would be old by then"
    decider.open_gate.set()
    decided = await first
    assert await push(http, turn(time_s=5.0)) == decided


def test_marks_tell_pictures_times_and_keys_apart() -> None:
    marks = [
        sent([RED], 5.0).mark,
        sent([RED], 6.0).mark,
        sent([RED], None).mark,
        sent([BLUE], 5.0).mark,
        sent([RED, BLUE], 5.0).mark,
        sent([RED + BLUE], 5.0).mark,
        sent([RED], 5.0, "a key").mark,
        sent([RED], 5.0, "another key").mark,
        sent([RED], 5.0, question="Who is there?").mark,
    ]
    assert len(set(marks)) == len(marks)
    assert sent([RED], 5.0004).mark == sent([RED], 5.0).mark, "model time is in milliseconds"
    assert sent([BLUE], 9.0, "a key").key_mark == sent([RED], 5.0, "a key").key_mark != ""
    assert sent([RED], 5.0).key_mark == ""


@pytest.mark.parametrize("is_of_now", [True, False])
def test_no_answer_that_must_not_be_repeated_leaves_it_to_the_client_library(is_of_now: bool) -> None:
    for row in (*TABLE.values(), INTERNAL):
        said = should_retry(Problem(row, ""), is_of_now=is_of_now)
        assert (said is None) == (row.status < 500 and row.status not in (409, 429)), row.kind
        assert not (said and (is_of_now or row.status == 409)), row.kind
    assert should_retry(Problem(TABLE[TurnRefused], ""), is_of_now=False) is False
