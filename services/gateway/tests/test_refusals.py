"""What the gateway refuses for what it holds and what is behind it. What it refuses for the form of a request is tested
in `test_refused_requests.py`, and for every operation of the API in `tests/test_route_refusals.py`."""

import asyncio

import aiohttp
import pytest

from vigil.core.ids import SessionKey
from vigil.core.instruction import MAX_INSTRUCTIONS
from vigil.core.source import Role
from vigil.runtime.placement.leases import Offer, Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer, RedisServer
from vigil_gateway.testing.problems import SECRET_URL, refused

NEW = {"source": {"url": SECRET_URL}}


async def test_more_instructions_than_a_session_may_have_are_refused(http: aiohttp.ClientSession, session: str) -> None:
    watch = {"name": "fire", "text": "Fire?"}
    for _ in range(MAX_INSTRUCTIONS):
        async with http.post(f"/v1/sessions/{session}/watches", json=watch) as answer:
            assert answer.status == 202
    problem = await refused(http, "POST", f"/v1/sessions/{session}/watches", 422, "invalid_value", json=watch)
    assert problem["detail"] == "a session has at most 16 instructions: clear one first"
    both = {**NEW, "watches": [watch] * 9, "instructions": ["Look."] * 8}
    await refused(http, "POST", "/v1/sessions", 422, "invalid_value", json=both)


async def test_a_full_inbox_is_told(http: aiohttp.ClientSession, session: str) -> None:
    for _ in range(64):
        async with http.post(f"/v1/sessions/{session}/queries", json={"text": "Who?"}) as answer:
            assert answer.status == 202
    await refused(http, "POST", f"/v1/sessions/{session}/queries", 429, "inbox_full", json={"text": "Who?"})


@pytest.mark.parametrize("changed", [{"probe_deadline_s": 2.0}])
@pytest.mark.usefixtures("workers")
async def test_a_probe_that_takes_too_long_is_given_up(
    http: aiohttp.ClientSession, ingestion: ScriptedIngestion
) -> None:
    ingestion.open_gate.clear()
    problem = await refused(http, "POST", "/v1/sessions", 503, "probe_unavailable", json=NEW)
    assert problem["detail"] == "ingestion did not finish within 2 s"


@pytest.mark.usefixtures("workers")
async def test_an_ingestion_that_is_down_is_told_apart_from_a_bad_source(
    http: aiohttp.ClientSession, ingestion: ScriptedIngestion
) -> None:
    await ingestion.stop()
    problem = await refused(http, "POST", "/v1/sessions", 503, "probe_unavailable", json=NEW)
    assert problem["detail"] == "ingestion could not be asked (UNAVAILABLE)"


@pytest.mark.usefixtures("workers")
async def test_the_last_place_is_given_once(
    http: aiohttp.ClientSession, placement: Placement, store: SessionStore
) -> None:
    await placement.heartbeat(Role.CODEC, "codec-1", 1)

    async def create() -> int:
        async with http.post("/v1/sessions", json=NEW) as answer:
            return answer.status

    assert sorted(await asyncio.gather(*(create() for _ in range(4)))) == [201, 503, 503, 503]
    assert len(await store.sessions("demo")) == 1, "nothing is left of those that were refused"


async def test_without_workers_no_session_is_taken(http: aiohttp.ClientSession, placement: Placement) -> None:
    await placement.heartbeat(Role.CODEC, "codec-1", 2)
    problem = await refused(http, "POST", "/v1/sessions", 503, "no_worker", json=NEW)
    assert problem["detail"] == "no live worker for: ingestion, interaction"


async def test_full_workers_are_told_apart_from_none(
    http: aiohttp.ClientSession, session: str, placement: Placement
) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-1", 1)
    problem = await refused(http, "POST", "/v1/sessions", 503, "capacity_full", json=NEW)
    assert problem["detail"] == "every worker is full for: interaction"
    async with http.delete(f"/v1/sessions/{session}"):
        pass
    await placement.close(SessionKey("demo", session), (Role.INTERACTION,))  # its worker has closed the alerts
    async with http.post("/v1/sessions", json=NEW) as answer:
        assert answer.status == 201


async def test_what_workers_share_limits_them_together(
    http: aiohttp.ClientSession, session: str, placement: Placement
) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, ceiling=1))
    problem = await refused(http, "POST", "/v1/sessions", 503, "capacity_full", json=NEW)
    assert problem["detail"] == "every worker is full for: interaction"


@pytest.mark.usefixtures("workers")
async def test_a_model_that_no_engine_serves_is_refused(http: aiohttp.ClientSession, placement: Placement) -> None:
    await placement.heartbeat(Role.INTERACTION, "interaction-2", Offer(8, models=("vigil-small", "large")))
    problem = await refused(http, "POST", "/v1/sessions", 422, "not_served", json={**NEW, "model": "huge"})
    assert problem["detail"] == "this deployment serves the model 'large' or 'vigil-small', not 'huge'"
    for served in ({"model": "large", "profile": "harness"}, {}):
        async with http.post("/v1/sessions", json={**NEW, **served}) as answer:
            assert answer.status == 201


@pytest.mark.usefixtures("workers")
async def test_sizes_that_outgrow_the_context_of_the_model_are_refused(
    http: aiohttp.ClientSession, placement: Placement
) -> None:
    offer = Offer(8, models=("large", "vigil-small"), contexts={"large": 32_768, "vigil-small": 32_768})
    await placement.heartbeat(Role.INTERACTION, "interaction-2", offer)
    large = {**NEW, "model": "large", "profile": "joyai"}
    on = {**large, "memory": {"is_on": True}}
    problem = await refused(http, "POST", "/v1/sessions", 422, "invalid_value", json=on)
    assert "the model 'large' takes 32,768: lower window.chunk_turns to" in str(problem["detail"])
    async with http.post("/v1/sessions", json={**on, "window": {"chunk_turns": 60}}) as answer:
        assert answer.status == 201
    async with http.post("/v1/sessions", json=large) as answer:
        assert answer.status == 201
        session = (await answer.json())["id"]
    change = {"cadence": {"frames_per_turn": 2}}
    problem = await refused(http, "PATCH", f"/v1/sessions/{session}", 422, "invalid_value", json=change)
    assert "lower cadence.frames_per_turn" in str(problem["detail"])


@pytest.mark.usefixtures("workers")
async def test_without_redis_the_problem_says_so_and_goes_away_with_it(
    http: aiohttp.ClientSession, redis_server: RedisServer, session: str
) -> None:
    await redis_server.kill()
    for method, path, body in [("POST", "/v1/sessions", NEW), ("GET", "/v1/sessions", None)]:
        problem = await refused(http, method, path, 503, "store_unavailable", json=body)
        assert "Redis" in str(problem["detail"])
    async with http.get("/readyz") as answer:
        assert answer.status == 503
        assert (await answer.json())["checks"]["redis"] != "ok"
    async with http.get("/healthz") as answer:
        assert answer.status == 200
    await redis_server.start()
    async with http.get(f"/v1/sessions/{session}") as answer:
        assert answer.status == 200


@pytest.mark.usefixtures("workers")
async def test_without_nats_nothing_is_half_done(
    http: aiohttp.ClientSession, nats_server: NatsServer, session: str, store: SessionStore
) -> None:
    await nats_server.kill()
    await eventually(lambda: not_ready(http), what="the gateway notices")
    problem = await refused(http, "POST", "/v1/sessions", 503, "bus_unavailable", json=NEW)
    assert "NATS" in str(problem["detail"])
    assert await store.sessions("demo") == [SessionKey("demo", session)]
    await refused(http, "GET", f"/v1/sessions/{session}/events", 503, "bus_unavailable")
    await refused(http, "GET", "/v1/alerts/a-1/snapshot", 503, "bus_unavailable")
    async with http.post(f"/v1/sessions/{session}/queries", json={"text": "Who?"}) as answer:
        assert answer.status == 202  # it waits in the inbox: only the nudge is lost
    await nats_server.start()
    await eventually(lambda: ready(http), what="the gateway is ready again")
    async with http.post("/v1/sessions", json=NEW) as answer:
        assert answer.status == 201


async def ready(client: aiohttp.ClientSession) -> bool:
    async with client.get("/readyz") as answer:
        return answer.status == 200


async def not_ready(client: aiohttp.ClientSession) -> bool:
    return not await ready(client)
