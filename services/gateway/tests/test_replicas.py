"""Quotas hold over all gateways: by value, and with two gateways behind a proxy."""

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tally import LIFE_S, USED, Tally
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil.testing.scripted_decider import ScriptedDecider
from vigil.testing.servers import RedisServer
from vigil_gateway.api.errors import TooManyPushes, TooManyStreams
from vigil_gateway.config import GatewaySettings
from vigil_gateway.live.streams import QUOTA, StreamSlots
from vigil_gateway.pushed.quota import IN_FLIGHT, PER_S, PushQuota
from vigil_gateway.replicas import Replicas

CHAT = "/v1/chat/completions"
STREAMS = 4


@pytest.fixture
def replicas() -> int:
    """Two gateways, of which each gets every other request."""
    return 2


@pytest.fixture
def settings(settings: GatewaySettings) -> GatewaySettings:
    """Gateways that give a tenant few streams and one push at a time."""
    return settings.model_copy(
        update={"streams_per_tenant": STREAMS, "pushes_in_flight_per_tenant": 1, "turn_deadline_s": 20.0}
    )


@pytest.fixture
async def decider(bus: Bus, store: SessionStore, placement: Placement) -> AsyncIterator[ScriptedDecider]:
    """Workers with room for ten sessions, that decide on every picture."""
    for role in Role:
        await placement.heartbeat(role, f"{role}-1", 10)
    async with ScriptedDecider(bus, store, lambda picture: "A picture.").working() as working:
        yield working


def heard(**used: dict[str, float]) -> Replicas:
    """What a gateway knows that has one other beside it."""
    replicas = Replicas()
    replicas.hear([used])
    return replicas


async def test_replicas_tell_one_another_and_forget_one_that_is_silent(redis: Redis) -> None:
    client: Any = redis
    first, second = Tally(redis, "first"), Tally(redis, "second")
    assert await first.exchange({QUOTA: {"demo": 2.0}}) == []
    assert await second.exchange({QUOTA: {"demo": 1.0}}) == [{QUOTA: {"demo": 2.0}}]
    assert await first.exchange({}) == [{QUOTA: {"demo": 1.0}}]
    await client.hset(USED, "of another release", b"9999999999999:[1]")
    await client.hset(USED, "second", b"1:{}")
    assert await first.exchange({}) == [{}], "what cannot be read is nothing"
    assert sorted(await client.hkeys(USED)) == [b"first", b"of another release"]
    assert 0 < await client.pttl(USED) <= LIFE_S * 1000


def test_what_was_said_too_long_ago_counts_no_more() -> None:
    now_s = [100.0]
    replicas = Replicas(lambda: now_s[0])
    replicas.hear([{QUOTA: {"demo": 2.0}}, {QUOTA: {"demo": 1.0, "rival": 5.0}}])
    assert (replicas.count, replicas.used(QUOTA, "demo"), replicas.used(IN_FLIGHT, "demo")) == (3, 3.0, 0.0)
    now_s[0] += LIFE_S
    assert (replicas.count, replicas.used(QUOTA, "demo")) == (1, 0.0)


def test_streams_at_other_replicas_take_places() -> None:
    slots = StreamSlots(3, heard(streams={"demo": 2.0}))
    with slots.slot("demo"), pytest.raises(TooManyStreams), slots.slot("demo"):
        pass
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(slots.slot("rival"))
        assert slots.open() == {"rival": 3}
    assert slots.open() == {}


def test_pushes_in_flight_at_other_replicas_take_places() -> None:
    quota = PushQuota(3, 100.0, heard(pushes_in_flight={"demo": 2.0}))
    with quota.slot("demo"), pytest.raises(TooManyPushes, match="waits for 3"), quota.slot("demo"):
        pass


@pytest.mark.parametrize(
    ("others_per_s", "admitted"),
    [(0.0, 20), (4.0, 12), (9.0, 10)],
    ids=["nobody else pushes: all of it", "what the others leave", "never less than an equal part"],
)
def test_the_rate_of_pushes_is_shared_with_other_replicas(others_per_s: float, admitted: int) -> None:
    now_s = [100.0]
    quota = PushQuota(99, 10.0, heard(pushes_per_s={"demo": others_per_s}), clock=lambda: now_s[0])
    outcomes: Counter[bool] = Counter()
    for _ in range(30):  # at one moment: so many seconds' pushes as may come at once
        try:
            with quota.slot("demo"):
                outcomes[True] += 1
        except TooManyPushes:
            outcomes[False] += 1
    assert outcomes[True] == pytest.approx(admitted, abs=1), "the clock is no sum of thirds"
    now_s[0] += 2.0
    assert quota.rates() == {"demo": outcomes[True] / 2}
    assert quota.rates() == {}, "since it was asked last"


async def test_a_tenants_streams_are_counted_over_both_gateways(http: aiohttp.ClientSession, session: str) -> None:
    path = f"/v1/sessions/{session}/events"
    async with AsyncExitStack() as stack:
        for _ in range(STREAMS):
            await stack.enter_async_context(http.get(path))

        async def both_refuse() -> bool:
            statuses = [(await stack.enter_async_context(http.get(path))).status for _ in range(2)]
            return statuses == [429, 429]

        await eventually(both_refuse, what="each knows of the other's streams")


async def test_a_push_that_waits_at_one_gateway_counts_at_the_other(
    http: aiohttp.ClientSession, decider: ScriptedDecider
) -> None:
    decider.open_gate.clear()
    waiting = asyncio.create_task(_pushed(http, "kitchen"))
    await eventually(lambda: asyncio.sleep(0, bool(decider.seen)), what="the first picture is shown")

    async def both_refuse() -> bool:
        return [await _pushed(http, "kitchen") for _ in range(2)] == [(429, "too_many_pushes")] * 2

    await eventually(both_refuse, what="the other gateway knows of it")
    decider.open_gate.set()
    assert (await waiting)[0] == 200


async def _pushed(http: aiohttp.ClientSession, session: str) -> tuple[int, str]:
    url = f"data:image/jpeg;base64,{base64.b64encode(jpeg()).decode()}"
    content = [{"type": "image_url", "image_url": {"url": url}}]
    body = {"model": "vigil-small", "messages": [{"role": "user", "content": content}]}
    async with http.post(CHAT, json=body, headers={"x-session-id": session}) as answer:
        found = await answer.json()
    return answer.status, str(found.get("error", {}).get("code", ""))


async def test_without_redis_each_gateway_counts_for_itself_and_says_so_once(
    redis: Redis, redis_server: RedisServer
) -> None:
    replicas = Replicas()
    uses = {QUOTA: dict, PER_S: dict}
    await redis_server.kill()
    with capture_logs() as logs:
        exchanging = asyncio.create_task(replicas.exchange(Tally(redis, "first"), uses))
        await eventually(lambda: asyncio.sleep(0, bool(logs)), what="it is told")
        assert replicas.used(QUOTA, "demo") == 0.0
        await redis_server.start()
        second = Tally(redis, "second")

        async def is_heard() -> bool:
            await second.exchange({QUOTA: {"demo": 2.0}})
            return replicas.used(QUOTA, "demo") == 2.0

        await eventually(is_heard, what="it hears the other again")
        exchanging.cancel()
    assert [entry["event"] for entry in logs] == ["quotas not shared"]
