"""Requests that the gateway refuses for what they are, whatever it holds."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from vigil.testing.kept_servers import KeptNats, KeptRedis
from vigil.v1.ingestion_pb2 import ProbeSourceResponse, SourceFault
from vigil_gateway.testing.gateways import SharedGateway, shared_gateway
from vigil_gateway.testing.problems import SECRET_URL, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEW = {"source": {"url": SECRET_URL}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    kept_nats: KeptNats, kept_redis: KeptRedis, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SharedGateway]:
    """One gateway for all tests of this file."""
    async with shared_gateway(kept_nats, kept_redis, tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.mark.parametrize("header", ["Bearer wrong-key", "Bearer a-key-of-demo2"])
async def test_a_wrong_key_is_refused(shared: SharedGateway, header: str) -> None:
    problem = await refused(shared.nobody, "GET", "/v1/sessions", 401, "key_wrong", headers={"Authorization": header})
    assert header.split()[1] not in str(problem)


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer ", "a-key-of-demo"])
async def test_another_scheme_is_no_key(shared: SharedGateway, header: str) -> None:
    await refused(shared.nobody, "GET", "/v1/sessions", 401, "key_missing", headers={"Authorization": header})


async def test_a_body_of_a_megabyte_is_refused_as_too_large(shared: SharedGateway) -> None:
    body = {"text": "x" * 1_000_000}
    path = f"/v1/sessions/{shared.session}/instructions"
    problem = await refused(shared.http, "POST", path, 413, "body_too_large", json=body)
    assert "262,144 bytes" in str(problem["detail"])
    await refused(shared.nobody, "POST", path, 401, "key_missing", json=body)


async def test_a_body_without_a_length_is_bounded_too(shared: SharedGateway) -> None:
    async def endless() -> object:
        for _ in range(40):
            yield b" " * 10_000

    await refused(shared.http, "POST", "/v1/sessions", 413, "body_too_large", data=endless())


@pytest.mark.parametrize("path", ["instructions", "watches", "queries"])
async def test_a_text_that_is_too_long_names_the_limit(shared: SharedGateway, path: str) -> None:
    body = {"text": "x" * 2_001} | ({"name": "fire"} if path == "watches" else {})
    problem = await refused(
        shared.http, "POST", f"/v1/sessions/{shared.session}/{path}", 422, "invalid_request", json=body
    )
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
async def test_a_value_that_breaks_a_rule_is_named(shared: SharedGateway, change: dict[str, object], said: str) -> None:
    problem = await refused(shared.http, "POST", "/v1/sessions", 422, "invalid_request", json=NEW | change)
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
async def test_a_value_of_another_type_is_not_converted(shared: SharedGateway, change: dict[str, object]) -> None:
    await refused(shared.http, "POST", "/v1/sessions", 422, "invalid_request", json=NEW | change)


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
    shared: SharedGateway, method: str, path: str, allowed: str
) -> None:
    async with shared.http.request(method, path) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(("what", "asked"), [("profile", "joyai"), ("profile", "gpt"), ("model", "large")])
async def test_what_no_worker_runs_is_refused_and_what_is_served_is_named(
    shared: SharedGateway, what: str, asked: str
) -> None:
    problem = await refused(shared.http, "POST", "/v1/sessions", 422, "not_served", json={**NEW, what: asked})
    assert problem["detail"] == f"this deployment serves the {what} 'vigil-small', not '{asked}'"


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
    shared: SharedGateway, fault: SourceFault.ValueType, name: str
) -> None:
    shared.ingestion.answer = ProbeSourceResponse(fault=fault, message=f"{SECRET_URL} is no good: mend it")
    problem = await refused(shared.http, "POST", "/v1/sessions", 422, "source_fault", json=NEW)
    assert problem["fault"] == name
    assert problem["detail"] == "rtsp://***@camera.local/stream1 is no good: mend it"
    async with shared.http.get("/v1/sessions") as answer:
        assert [shown["id"] for shown in (await answer.json())["sessions"]] == [shared.session], "and no other"


@pytest.mark.parametrize(
    "url", ["rtsp://camera/\0", "file:///a\0.mp4", "http://camera/\x7f", "rtsp://camera/a\r\nX: y"]
)
async def test_an_address_with_control_characters_is_refused(shared: SharedGateway, url: str) -> None:
    before = list(shared.ingestion.probed)
    async with shared.http.post("/v1/sessions", json={"source": {"url": url}}) as answer:
        assert answer.status == 422
        assert "control character" in (await answer.json())["detail"]
    assert shared.ingestion.probed == before
