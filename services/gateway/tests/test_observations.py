"""What a module tells over HTTP is published where modules with NATS publish it, and what it may not is refused."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from vigil.contract import subjects
from vigil.contract.events.audit import decode_audit
from vigil.contract.events.observations import read_observation
from vigil.contract.streams import AUDIT
from vigil.core.ids import SessionKey
from vigil.core.observation import Box, Observation
from vigil.runtime.bus.client import Bus
from vigil.testing.eventually import DEADLINE_S, eventually

SEEN = {"module": "zones", "kind": "zone", "text": "A person is in the loading bay."}
WHOLE: dict[str, Any] = SEEN | {
    "capture_time": "2026-01-01T09:00:00.123457+09:00",
    "confidence": 0.9,
    "ttl_ms": 5_000,
    "box": {"left": 10, "top": 20, "width": 30, "height": 40},
}


async def told(http: aiohttp.ClientSession, session: str, body: Any) -> tuple[int, dict[str, Any]]:
    async with http.post(f"/v1/sessions/{session}/observations", json=body) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("body", [SEEN, WHOLE], ids=["what must be said", "everything"])
async def test_it_is_published_under_the_modules_name(
    http: aiohttp.ClientSession, session: str, bus: Bus, body: dict[str, Any]
) -> None:
    key, before = SessionKey("demo", session), datetime.now(UTC)
    await bus.connected()
    async with bus.subscribe(subjects.observations_of(key), capacity=2) as messages:
        status, answer = await told(http, session, body)
        async with asyncio.timeout(DEADLINE_S):
            message = await anext(messages)
    assert (status, answer["session"]) == (202, session)
    assert message.subject == subjects.observation(key, "zones")
    of, seen = read_observation(message.subject, message.payload)
    assert (of, seen.id) == (key, answer["id"])
    if body is WHOLE:
        text, at_us = SEEN["text"], 1_767_225_600_123_457
        assert seen == Observation("zones", "zone", text, at_us, answer["id"], 0.9, 5_000, Box(10, 20, 30, 40))
    else:
        since = timedelta(microseconds=seen.capture_time_us) - (before - datetime(1970, 1, 1, tzinfo=UTC))
        assert timedelta() <= since < timedelta(seconds=DEADLINE_S), "without a time it is of now"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": "x" * 501}, "text"),
        ({"module": "my zones"}, "module"),
        ({"module": ""}, "module"),
        ({"kind": "a.b"}, "kind"),
        ({"capture_time": 1_767_225_600}, "capture_time"),
        ({"capture_time": "2026-01-01T00:00:00"}, "capture_time"),
        ({"capture_time": "yesterday"}, "capture_time"),
        ({"confidence": 1.5}, "confidence"),
        ({"ttl_ms": 100}, "ttl_ms"),
        ({"ttl_ms": 600_001}, "ttl_ms"),
        ({"box": {"left": 0, "top": 0, "width": 0, "height": 1}}, "box.width"),
        ({"box": {"left": 0}}, "box.top"),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_its_name(
    http: aiohttp.ClientSession, session: str, change: dict[str, Any], field: str
) -> None:
    status, answer = await told(http, session, SEEN | change)
    assert (status, answer["type"]) == (422, "urn:vigil:problem:invalid_request")
    assert answer["detail"].startswith(f"{field}: "), answer


async def test_what_the_core_refuses_is_told(http: aiohttp.ClientSession, session: str) -> None:
    status, answer = await told(http, session, SEEN | {"capture_time": "1969-12-31T23:59:59Z"})
    assert (status, answer["type"]) == (422, "urn:vigil:problem:invalid_value")
    assert "microseconds since the Unix epoch" in answer["detail"]


async def test_half_of_a_character_is_refused(http: aiohttp.ClientSession, session: str) -> None:
    status, answer = await told(http, session, SEEN | {"text": "\ud800"})
    assert (status, answer["type"]) == (422, "urn:vigil:problem:text_invalid")


async def test_an_ended_session_and_one_that_is_not_there_take_nothing(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, session: str
) -> None:
    assert (await told(rival, session, SEEN))[0] == 404
    assert (await told(http, "s-0123456789abcdef0123", SEEN))[0] == 404
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 204
    status, problem = await told(http, session, SEEN)
    assert (status, problem["type"]) == (409, "urn:vigil:problem:session_ended")


@pytest.mark.parametrize(
    ("options", "said"), [({"is_on": False}, "hears no modules"), ({"names": ["faces", "text"]}, "only faces, text")]
)
async def test_a_session_that_does_not_hear_the_module_says_so_until_it_does(
    http: aiohttp.ClientSession, session: str, options: dict[str, Any], said: str
) -> None:
    async def change(modules: dict[str, Any]) -> None:
        async with http.patch(f"/v1/sessions/{session}", json={"modules": modules}) as answer:
            assert answer.status == 200

    await change(options)
    status, answer = await told(http, session, SEEN)
    assert (status, answer["type"]) == (409, "urn:vigil:problem:not_heard")
    assert said in answer["detail"]
    assert "vigil sessions change" in answer["next_step"]
    await change({"is_on": True, "names": ["zones"]})
    assert (await told(http, session, SEEN))[0] == 202


async def test_what_a_module_notices_fills_no_audit(http: aiohttp.ClientSession, session: str, bus: Bus) -> None:
    for _ in range(3):
        assert (await told(http, session, SEEN))[0] == 202
    async with http.post(f"/v1/sessions/{session}/queries", json={"text": "Who?"}) as answer:
        assert answer.status == 202

    async def routes() -> set[str]:
        page = await bus.stored(AUDIT, subjects.audit("demo"), 1, 100)
        return {decode_audit(message.payload).data.route for message in page.messages}

    async def is_asked() -> bool:
        return "/v1/sessions/{session}/queries" in await routes()

    await eventually(is_asked, what="the question is recorded")
    assert "/v1/sessions/{session}/observations" not in await routes()
