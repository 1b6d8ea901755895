"""What the OpenAI-compatible door says of the workers behind it: that there are none, and which models they have."""

import asyncio

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.placement.leases import Claim, Offer, Placement
from vigil.runtime.store.pushed import DUE
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil_gateway.testing.chat import MODELS, refused, turn

MINE = {"x-session-id": "kitchen"}


@pytest.fixture
def replicas() -> int:
    """Each of two gateways gets every other request."""
    return 2


async def test_nobody_who_decides_is_told_at_once(
    http: aiohttp.ClientSession, placement: Placement, redis: Redis
) -> None:
    assert "codec, interaction" in await refused(http, 503, "no_worker", json=turn(), headers=MINE)
    for role in (Role.CODEC, Role.INTERACTION):
        await placement.heartbeat(role, f"{role}-1", 0)
    assert "codec, interaction" in await refused(http, 503, "capacity_full", json=turn(), headers=MINE)
    assert await redis.zcard(DUE) == 0, "no silence is waited for of a session that is not there"


async def test_models(http: aiohttp.ClientSession, placement: Placement) -> None:
    async with http.get(MODELS) as answer:
        found = await answer.json()
    assert [model["id"] for model in found["data"]] == ["vigil-small"]
    assert found["object"] == "list"
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("large", "vigil-small")))
    async with http.get(MODELS) as answer:
        assert [model["id"] for model in (await answer.json())["data"]] == ["vigil-small", "large"]


async def test_a_model_by_its_name(http: aiohttp.ClientSession, placement: Placement) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("org/large", "vigil-small")))
    for name in ("vigil-small", "org/large"):
        async with http.get(f"{MODELS}/{name}") as answer:
            assert (answer.status, (await answer.json())["id"]) == (200, name)
    told = await refused(http, 404, "model_not_found", "GET", f"{MODELS}/gpt")
    assert "'vigil-small' or 'org/large', not 'gpt'" in told


@pytest.mark.usefixtures("workers")
async def test_while_the_first_picture_waits_workers_may_claim_its_session_and_no_other_picture_is_taken(
    http: aiohttp.ClientSession, placement: Placement, store: SessionStore
) -> None:
    key = SessionKey("demo", "kitchen")
    waiting = asyncio.create_task(refused(http, 409, "session_ended", json=turn(), headers=MINE))

    async def is_begun() -> bool:
        return key in await store.sessions("demo")

    await eventually(is_begun, what="the session is begun")
    assert "still being answered" in await refused(http, 429, "turn_in_flight", json=turn(), headers=MINE)
    assert await placement.claim(Role.INGESTION, "w", 9) == []
    claims: list[Claim] = []

    async def is_claimed() -> bool:  # a session is in the store before its workers may claim it
        claims.extend(await placement.claim(Role.CODEC, "w", 9))
        return bool(claims)

    await eventually(is_claimed, what="a codec worker gets the session")
    assert [claim.key for claim in claims] == [key]
    async with http.delete("/v1/sessions/kitchen") as answer:
        assert answer.status == 204
    await waiting


@pytest.mark.parametrize("changed", [{"turn_deadline_s": 1.0}])
@pytest.mark.usefixtures("workers")
async def test_a_session_keeps_its_model(http: aiohttp.ClientSession, placement: Placement) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("large", "vigil-small")))
    await refused(http, 504, "turn_late", json=turn(model="large"), headers=MINE)
    told = await refused(http, 404, "model_not_found", json=turn(), headers=MINE)
    assert "this session has the model 'large', not 'vigil-small'" in told
