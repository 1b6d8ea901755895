"""What the gateway refuses for what it holds and what is behind it. What it refuses for the form of a request is tested
for every operation of the API in `tests/test_route_refusals.py`."""

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
from vigil.v1.ingestion_pb2 import ProbeSourceResponse, SourceFault

SECRET_URL = "rtsp://user:secret@camera.local/stream1"
NEW = {"source": {"url": SECRET_URL}}


async def refused(
    client: aiohttp.ClientSession, method: str, path: str, status: int, kind: str, **request: object
) -> dict[str, object]:
    """Send the request, check that it is refused as `kind`, return the problem."""
    async with client.request(method, path, **request) as answer:  # type: ignore[arg-type]
        problem: dict[str, object] = await answer.json(content_type="application/problem+json")
        assert (answer.status, problem["type"]) == (status, f"urn:vigil:problem:{kind}"), problem
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["next_step"]
    assert "secret" not in str(problem)
    assert "Traceback" not in str(problem)
    return problem


@pytest.mark.parametrize("header", ["Bearer wrong-key", "Bearer a-key-of-demo2"])
async def test_a_wrong_key_is_refused(nobody: aiohttp.ClientSession, header: str) -> None:
    problem = await refused(nobody, "GET", "/v1/sessions", 401, "key_wrong", headers={"Authorization": header})
    assert header.split()[1] not in str(problem)


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer ", "a-key-of-demo"])
async def test_another_scheme_is_no_key(nobody: aiohttp.ClientSession, header: str) -> None:
    await refused(nobody, "GET", "/v1/sessions", 401, "key_missing", headers={"Authorization": header})


async def test_a_body_of_a_megabyte_is_refused_as_too_large(
    http: aiohttp.ClientSession, nobody: aiohttp.ClientSession, session: str
) -> None:
    body = {"text": "x" * 1_000_000}
    path = f"/v1/sessions/{session}/instructions"
    problem = await refused(http, "POST", path, 413, "body_too_large", json=body)
    assert "262,144 bytes" in str(problem["detail"])
    await refused(nobody, "POST", path, 401, "key_missing", json=body)


async def test_a_body_without_a_length_is_bounded_too(http: aiohttp.ClientSession) -> None:
    async def endless() -> object:
        for _ in range(40):
            yield b" " * 10_000

    await refused(http, "POST", "/v1/sessions", 413, "body_too_large", data=endless())


@pytest.mark.parametrize("path", ["instructions", "watches", "queries"])
async def test_a_text_that_is_too_long_names_the_limit(http: aiohttp.ClientSession, session: str, path: str) -> None:
    body = {"text": "x" * 2_001} | ({"name": "fire"} if path == "watches" else {})
    problem = await refused(http, "POST", f"/v1/sessions/{session}/{path}", 422, "invalid_request", json=body)
    assert problem["detail"] == "text: String should have at most 2000 characters"
    assert problem["errors"] == [{"field": "text", "message": "String should have at most 2000 characters"}]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"cadence": {"interval_ms": 10}}, "cadence.interval_ms: Input should be greater than or equal to 200"),
        ({"cadence": {"interval_ms": 60_001}}, "cadence.interval_ms: Input should be less than or equal to 60000"),
        ({"cadence": {"frames_per_turn": 0}}, "cadence.frames_per_turn: Input should be greater than or equal to 1"),
        ({"cadence": {"interval_ms": "often"}}, "cadence.interval_ms: Input should be a valid integer"),
        (
            {"speech": {"response_mode": "loud"}},
            "speech.response_mode: Input should be 'reserved', 'balanced' or 'talkative'",
        ),
        ({"speech": {"text_temperature": 3}}, "speech.text_temperature: Input should be less than or equal to 2"),
        ({"window": {"chunk_turns": 1}}, "window.chunk_turns: Input should be greater than or equal to 2"),
        ({"window": {"chunk_turns": 251}}, "window.chunk_turns: Input should be less than or equal to 250"),
        ({"chunk_turns": 50}, "chunk_turns: Extra inputs are not permitted"),
        ({"watches": [{"name": "a.b", "text": "x"}]}, "watches.0.name: String should match pattern"),
        ({"watches": [{"name": "fire", "text": "x", "hold_s": -1}]}, "watches.0.hold_s: Input should be greater"),
        ({"watches": [{"name": "fire", "text": "  "}]}, "watches.0.text: String should match pattern"),
        ({"instructions": [""]}, "instructions.0: String should have at least 1 character"),
        ({"instructions": ["x"] * 17}, "instructions: List should have at most 16 items"),
        ({"source": {}}, "source: Value error, give the source's `url`"),
        ({"source": {"url": SECRET_URL, "id": "a b"}}, "source.id: String should match pattern"),
        ({"sorce": {}}, "sorce: Extra inputs are not permitted"),
    ],
)
async def test_a_value_that_breaks_a_rule_is_named(
    http: aiohttp.ClientSession, change: dict[str, object], said: str
) -> None:
    problem = await refused(http, "POST", "/v1/sessions", 422, "invalid_request", json=NEW | change)
    assert str(problem["detail"]).startswith(said)


@pytest.mark.parametrize(
    "change",
    [
        {"infer_when_idle": 0},
        {"infer_when_idle": "false"},
        {"cadence": {"interval_ms": "1000"}},
        {"cadence": {"interval_ms": True}},
        {"speech": {"text_temperature": "0.5"}},
        {"source": {"url": SECRET_URL, "loop": "yes"}},
        {"watches": [{"text": "Fire?", "hold_s": "5"}]},
    ],
)
async def test_a_value_of_another_type_is_not_converted(http: aiohttp.ClientSession, change: dict[str, object]) -> None:
    await refused(http, "POST", "/v1/sessions", 422, "invalid_request", json=NEW | change)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/sessions", "GET, POST"),
        ("POST", "/v1/sessions/s-1", "DELETE, GET, PATCH"),
        ("DELETE", "/v1/health", "GET"),
        ("TRACE", "/v1/sessions/s-1/watches/w-1", "DELETE, PUT"),
        ("HEAD", "/v1/chat/completions", "POST"),
    ],
)
async def test_another_method_is_told_which_there_are(
    http: aiohttp.ClientSession, method: str, path: str, allowed: str
) -> None:
    async with http.request(method, path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(("what", "asked"), [("profile", "joyai"), ("profile", "gpt"), ("model", "large")])
async def test_what_no_worker_runs_is_refused_and_what_is_served_is_named(
    http: aiohttp.ClientSession, what: str, asked: str
) -> None:
    problem = await refused(http, "POST", "/v1/sessions", 422, "not_served", json={**NEW, what: asked})
    assert problem["detail"] == f"this deployment serves the {what} 'vigil-small', not '{asked}'"


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


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (SourceFault.SOURCE_FAULT_UNREACHABLE, "unreachable"),
        (SourceFault.SOURCE_FAULT_WRONG_CREDENTIALS, "wrong_credentials"),
        (SourceFault.SOURCE_FAULT_NOT_FOUND, "not_found"),
        (SourceFault.SOURCE_FAULT_NOT_A_VIDEO, "not_a_video"),
        (SourceFault.SOURCE_FAULT_EMPTY, "empty"),
        (SourceFault.SOURCE_FAULT_FORBIDDEN, "forbidden"),
        (SourceFault.SOURCE_FAULT_TIMED_OUT, "timed_out"),
    ],
)
async def test_a_source_that_cannot_be_watched_is_refused_with_its_fault(
    http: aiohttp.ClientSession, ingestion: ScriptedIngestion, fault: SourceFault.ValueType, name: str
) -> None:
    ingestion.answer = ProbeSourceResponse(fault=fault, message=f"{SECRET_URL} is no good: mend it")
    problem = await refused(http, "POST", "/v1/sessions", 422, "source_fault", json=NEW)
    assert problem["fault"] == name
    assert problem["detail"] == "rtsp://***@camera.local/stream1 is no good: mend it"
    async with http.get("/v1/sessions") as answer:
        assert await answer.json() == {"sessions": []}


@pytest.mark.usefixtures("workers")
async def test_a_probe_that_takes_too_long_is_given_up(
    http: aiohttp.ClientSession, ingestion: ScriptedIngestion
) -> None:
    ingestion.open_gate.clear()
    problem = await refused(http, "POST", "/v1/sessions", 503, "probe_unavailable", json=NEW)
    assert problem["detail"] == "ingestion did not finish within 2 s"


@pytest.mark.usefixtures("workers")
@pytest.mark.parametrize(
    "url", ["rtsp://camera/\0", "file:///a\0.mp4", "http://camera/\x7f", "rtsp://camera/a\r\nX: y"]
)
async def test_an_address_with_control_characters_is_refused(
    http: aiohttp.ClientSession, ingestion: ScriptedIngestion, url: str
) -> None:
    async with http.post("/v1/sessions", json={"source": {"url": url}}) as answer:
        assert answer.status == 422
        assert "control character" in (await answer.json())["detail"]
    assert ingestion.probed == []


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
