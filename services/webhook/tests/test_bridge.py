"""The bridge between a real NATS and receivers over real HTTP."""

import asyncio
import json
import time
from itertools import count
from typing import Any

from aiohttp import web
from prometheus_client import REGISTRY

from vigil.contract.events.sessions import SessionData, session_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import Lifecycle
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil_webhook.backlog import SUSPICIOUS
from vigil_webhook.dead_letters import newest
from vigil_webhook.signature import signed_headers

Fixture = Any  # those of conftest.py, which importlib mode does not let tests import


async def test_an_alert_arrives_unchanged_and_signed(
    stage: Fixture, receivers: Fixture, stored: Fixture, key: bytes
) -> None:
    receiver = receivers()
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(7))
        assert await receiver.has(1) == [7]
    (post,) = receiver.posts
    assert post.body == stored(7).payload
    assert post.headers["Content-Type"] == "application/cloudevents+json"
    assert post.headers["traceparent"].split("-")[1] == f"{8:032x}", "the trace of the turn that caused it goes on"
    sent_s = int(post.headers["webhook-timestamp"])
    assert abs(sent_s - time.time()) < 30
    expected = signed_headers(key, "a-7.0", sent_s, post.body)
    assert {name: post.headers[name] for name in expected} == expected


async def test_an_endpoint_gets_its_tenants_alerts_that_pass_its_filters(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    everything, picky = receivers(), receivers()
    await everything.start()
    await picky.start()
    filters = {"sources": ["lobby"], "severities": ["critical"], "states": ["opened"]}
    async with stage.bridge({"name": "all", "url": everything.url}, {"name": "picky", "url": picky.url, **filters}):
        await stage.send(
            stored(0),
            stored(1, source="yard"),
            stored(2, severity="info"),
            stored(3, state="closed"),
            stored(4, tenant="rival"),
            stored(5),
        )
        assert await everything.has(5) == [0, 1, 2, 3, 5]
        assert await picky.has(2) == [0, 5]


async def test_what_people_do_about_an_alert_goes_in_order_to_who_asks_for_it(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    usual, asking = receivers(), receivers()
    await usual.start()
    await asking.start()
    states = ["opened", "acknowledged", "muted", "closed"]
    async with stage.bridge(
        {"name": "usual", "url": usual.url}, {"name": "asking", "url": asking.url, "states": states}
    ):
        await stage.send(stored(0), stored(0, state="acknowledged"), stored(0, state="muted"), stored(1))
        await asking.has(4)
        assert await usual.has(2) == [0, 1]
    types = [json.loads(post.body)["type"] for post in asking.posts]
    assert types[:4] == [f"vigil.alert.{state}" for state in ("opened", "acknowledged", "muted", "opened")]


async def test_a_receiver_that_comes_and_goes_gets_all_of_an_alert_in_order_each_once(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(*(stored(number, of=0) for number in range(8)))
        await receiver.start()
        assert await receiver.has(8) == list(range(8))
        await receiver.stop()
        await stage.send(*(stored(number, of=0) for number in range(8, 14)))
        await receiver.start()
        assert await receiver.has(14) == list(range(14))


async def test_a_receiver_that_was_away_for_long_gets_the_alert_that_finds_it_back_and_then_the_others_in_order(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(*map(stored, range(8)))
        await eventually(lambda: value("failing", endpoint="pager") >= SUSPICIOUS, what="several were tried")
        await receiver.start()
        first, *others = await receiver.has(8)
    assert others == [number for number in range(8) if number != first]


async def test_an_alert_that_finds_its_receiver_away_is_tried_again_before_those_behind_it(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    statuses = iter([200, 503, 429, 200, 200])
    receiver = receivers(answer=lambda _: next(statuses))
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(0), stored(1), stored(2))
        assert await receiver.has(5) == [0, 1, 1, 1, 2]
    assert len({post.headers["webhook-id"] for post in receiver.posts[1:4]}) == 1


async def test_one_alert_that_the_receiver_never_takes_holds_up_no_other_and_is_dead_lettered(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers(answer=lambda post: 503 if post.number == 0 else 204)
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}, webhook_refusals=3):
        await stage.send(*map(stored, range(6)))
        await eventually(lambda: set(receiver.numbers) >= set(range(6)), what="all others are delivered")
        others = count(6)

        async def is_dead_lettered() -> bool:  # a failure is the alert's own when another one was delivered since
            number = next(others)
            await stage.send(stored(number))
            await eventually(lambda: number in receiver.numbers, what=f"alert {number}")
            return bool(await newest(stage.bus))

        await eventually(is_dead_lettered, what="the alert is dead-lettered")
        (letter,) = await stage.dead_letters(1)
    assert letter["data"]["event"]["id"] == "a-0.0"
    assert letter["data"]["reason"].startswith("it answered 503, after ")


async def test_session_events_go_to_the_endpoints_that_name_them(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    wants, does_not = receivers(), receivers()
    await wants.start()
    await does_not.start()
    chosen = {"sessions": ["stalled", "source_lost"], "sources": ["lobby"]}
    async with stage.bridge(
        {"name": "ops", "url": wants.url, **chosen}, {"name": "pager", "url": does_not.url}
    ) as service:
        assert (await service.health.check()).ready
        await stage.send(
            session_event(Lifecycle.STARTED),
            session_event(Lifecycle.STALLED),
            session_event(Lifecycle.SOURCE_LOST, source="yard"),
            session_event(Lifecycle.SOURCE_LOST),
            session_event(Lifecycle.STALLED, tenant="rival"),
            stored(7),
        )
        await eventually(lambda: len(wants.posts) == 3, what="three posts")
        assert await does_not.has(1) == [7]
    types = sorted(json.loads(post.body)["type"] for post in wants.posts)
    assert types == ["vigil.alert.opened", "vigil.session.source_lost", "vigil.session.stalled"]
    assert len(does_not.posts) == 1


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"vigil_webhook_{name}", labels) or 0.0


def session_event(event: Lifecycle, source: str = "lobby", tenant: str = "demo") -> Outgoing:
    data = SessionData(tenant, "s-1", source, role="interaction", worker="", reason="", cause="")
    return session_outgoing(event, data, created_us=0, number=len(source), emit_time_us=0)


async def test_retry_after_is_honoured(stage: Fixture, receivers: Fixture, stored: Fixture) -> None:
    arrivals: list[float] = []

    def answer(_: object) -> web.Response:
        arrivals.append(time.monotonic())
        return web.Response(status=503 if len(arrivals) == 1 else 200, headers={"Retry-After": "1"})

    receiver = receivers(answer=answer)
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(0))
        await receiver.has(2)
    assert arrivals[1] - arrivals[0] >= 1.0


async def test_a_slow_endpoint_holds_up_nobody_else(stage: Fixture, receivers: Fixture, stored: Fixture) -> None:
    slow, quick = receivers(), receivers()
    slow.gate.clear()
    await slow.start()
    await quick.start()
    endpoints = {"name": "slow", "url": slow.url}, {"name": "quick", "url": quick.url}
    async with stage.bridge(*endpoints, webhook_timeout_s=60.0):
        await stage.send(*map(stored, range(20)))
        assert await quick.has(20) == list(range(20))
        assert await slow.has(1) == [0], "one at a time"
        slow.gate.set()
        assert await slow.has(20) == list(range(20))


async def test_an_answer_that_does_not_come_is_given_up(stage: Fixture, receivers: Fixture, stored: Fixture) -> None:
    receiver = receivers()
    receiver.gate.clear()
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}, webhook_timeout_s=0.2, webhook_tries=2):
        await stage.send(stored(0))
        (letter,) = await stage.dead_letters(1)
    assert letter["data"]["reason"] == "it did not answer in time, after 2 tries"
    assert letter["data"]["attempts"] == 2


async def test_what_was_not_answered_in_time_is_sent_again(stage: Fixture, receivers: Fixture, stored: Fixture) -> None:
    receiver = receivers()
    receiver.gate.clear()
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}, webhook_timeout_s=0.2):
        await stage.send(stored(0))
        assert set(await receiver.has(3)) == {0}


async def test_what_cannot_be_delivered_is_put_aside_and_the_next_goes_on(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    answers = {0: 400, 1: 410, 2: 302, 3: 200}
    receiver = receivers(
        answer=lambda post: web.Response(status=answers[post.number], headers={"Location": "http://127.0.0.1/else"})
    )
    await receiver.start()
    broken = Outgoing(stored(9).subject, "broken", b"not an event", "text/plain")
    async with stage.bridge({"name": "pager", "url": receiver.url}, webhook_refusals=2):
        await stage.send(stored(0), stored(1), broken, stored(2), stored(3))
        assert sorted(await receiver.has(6)) == [0, 0, 1, 2, 2, 3]
        letters = sorted(await stage.dead_letters(4), key=lambda letter: letter["data"]["sequence"])
    data = [letter["data"] for letter in letters]
    told = [(letter["recipient"], letter["attempts"], letter["reason"]) for letter in data]
    assert told[:2] == [
        ("pager", 2, "it answered 400, after 2 tries"),
        ("pager", 1, "the endpoint is gone (410)"),
    ]
    assert "not a CloudEvent" in told[2][2]
    assert told[3] == ("pager", 2, "it answered 302: redirects are not followed, after 2 tries")
    listed = await newest(stage.bus)
    assert sorted((letter["recipient"], letter["sequence"]) for letter in listed) == [
        ("pager", sequence) for sequence in (1, 2, 3, 4)
    ]
    assert "payload_base64" not in listed[0]
    assert letters[0]["type"] == "vigil.dlq.webhook"
    assert letters[0]["data"]["event"]["id"] == "a-0.0"
    assert letters[0]["data"]["subject"] == stored(0).subject
    assert letters[2]["data"]["payload_base64"] == "bm90IGFuIGV2ZW50"


async def test_a_name_that_stands_for_this_host_is_not_connected_to(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers()
    await receiver.start()
    url = f"http://localhost:{receiver.port}/"
    async with stage.bridge({"name": "pager", "url": url}, webhook_allow_local=False, webhook_refusals=2):
        await stage.send(stored(0))
        (letter,) = await stage.dead_letters(1)
    assert "localhost is not allowed, it is this host itself" in letter["data"]["reason"]
    assert receiver.posts == []


async def test_a_new_endpoint_does_not_get_the_past(stage: Fixture, receivers: Fixture, stored: Fixture) -> None:
    receiver = receivers()
    await receiver.start()
    await stage.send(stored(0), stored(1))
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(2))
        assert await receiver.has(1) == [2]


async def test_a_bridge_that_is_told_to_stop_hands_back_what_it_holds(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers()
    receiver.gate.clear()
    await receiver.start()
    unanswered = {"webhook_timeout_s": 60.0}  # so long JetStream waits for an answer, and longer than this test does
    async with stage.bridge({"name": "pager", "url": receiver.url}, **unanswered):
        await stage.send(stored(0), stored(1))
        await receiver.has(1)
    receiver.gate.set()
    async with stage.bridge({"name": "pager", "url": receiver.url}, **unanswered):
        assert await receiver.has(3) == [0, 0, 1]


async def test_nats_that_restarts_costs_no_alert_and_doubles_none(
    stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers()
    await receiver.start()
    async with stage.bridge({"name": "pager", "url": receiver.url}):
        await stage.send(stored(0), stored(1))
        await receiver.has(2)
        await stage.nats.restart()
        async with asyncio.timeout(DEADLINE_S):
            await stage.bus.connected()
        await stage.send(stored(2), stored(3))
        assert await receiver.has(4) == [0, 1, 2, 3]
