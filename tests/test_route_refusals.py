"""Every operation of `openapi.json` refuses what it must: by status, by kind, with a next step, and never with a 500.

The requests are made of the document, so that an operation which is added is tested without a word here.
"""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from api_contract import Operation, operations, with_unknown, with_wrong_types, wrong_parameters
from gateway_stage import KEYS, Stage, gateway_stage

from vigil.contract.artefacts import artefact_object
from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionState
from vigil.core.task import Artefact, TaskRequest, TaskState
from vigil.core.turn import FrameRef, Task, Turn
from vigil.runtime.store.sessions import Commit
from vigil.runtime.store.tasks import Ending
from vigil_client.options import NewSession, NewSource, NewWatch

pytestmark = [pytest.mark.asyncio(loop_scope="module")]

SECRET = "S3CRET"
SOURCE = NewSource(f"rtsp://user:{SECRET}@camera.local/1", "lobby")
GIVEN_ID = "s-0123456789abcdef0123"  # in the form of those that the gateway gives out: no client may begin one
ALL = operations()
KEYED = [operation for operation in ALL if not operation.is_open]
OF_A_SESSION = [operation for operation in ALL if "{session}" in operation.path]
NAMED = [operation for operation in ALL if operation.names_session]
WITH_BODY = [operation for operation in ALL if operation.body is not None]
WRONG_KEY = f"{KEYS['demo']}x"
# What an ended session still does: it is read, and ending it again changes nothing.
STILL_SERVED = {("GET", 200), ("DELETE", 204)}
TURN = Turn(0, 0, (FrameRef("f-0", 160, 96),), "</silence>")

Json = dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway, started once."""
    async with gateway_stage(tmp_path_factory.mktemp("gateway")) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def http(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the tenant demo."""
    async with stage.http(KEYS["demo"]) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nobody(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A client without a key."""
    async with stage.http(None) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stranger(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A client with a key that is not valid."""
    async with stage.http(WRONG_KEY) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rival(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of another tenant."""
    async with stage.http(KEYS["rival"]) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def names(stage: Stage) -> dict[str, str]:
    """What stands in paths: an open session of the tenant demo, with a watch and an instruction."""
    return await opened(stage)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ended(stage: Stage) -> dict[str, str]:
    """The same of a session that has ended."""
    found = await opened(stage)
    async with stage.client() as client:
        await client.end_session(found["session"])
    return found


async def opened(stage: Stage) -> dict[str, str]:
    """A new session of the tenant demo that has decided on one picture, as the names of paths."""
    async with stage.client() as client:
        session = (await client.create_session(NewSession(SOURCE))).id
        waiting = Task(f"{session}-0", "Why?", "", 0, 120_000)
        state = SessionState(1, 0, Chunk(turns=(TURN,)), tasks=(waiting,))
        await stage.commit(session, Commit(state, TURN, frames=(("f-0", b"jpeg"),)))
        await work_on(stage, session, waiting.id)
        return {
            "session": session,
            "watch_id": await client.watch(session, NewWatch("Fire?")),
            "instruction_id": await client.instruct(session, "Greet."),
            "alert_id": "a-1",
            "task": waiting.id,
            "approval": "p-1",
            "pattern": "p-1",
            "model": "vigil-small",
            "resource": "r-1",
            "turn": "newest",
            "sequence": "0",
            "index": "0",
            "frame": "f-0",
        }


async def work_on(stage: Stage, session: str, task: str) -> None:
    """What a brain does: it takes the task and leaves an answer with a file."""
    key, file = SessionKey("demo", session), Artefact("a.txt", "text/plain", 1, artefact_object("demo", task, 0))
    await stage.tasks.queued(TaskRequest("demo", session, "lobby", task, "Why?"))
    fence = await stage.tasks.take(key, task, "brain-1", 60.0)
    await stage.bus.put_artefact(file.object, b"a")
    await stage.tasks.finish(key, task, fence, Ending(TaskState.READY, "So.", artefacts=(file,)))


async def refused(
    http: aiohttp.ClientSession, operation: Operation, names: dict[str, str], status: int, kind: str, **request: Any
) -> str:
    """Send the request, check the refusal, return what it says was wrong."""
    request.setdefault("json", operation.valid() if "data" not in request else None)
    headers = {"x-session-id": names["session"], "Content-Type": "application/json"}
    async with http.request(operation.method, operation.url(**names), headers=headers, **request) as answer:
        body: Json = await answer.json(content_type=None)
        assert answer.status == status, body
    detail, found, next_step = told(operation, answer, body)
    assert found == kind, body
    assert detail
    assert next_step
    assert SECRET not in str(body)
    return detail


def told(operation: Operation, answer: aiohttp.ClientResponse, body: Json) -> tuple[str, str, str]:
    """What was wrong, the kind of problem and the next step, in the shape that this operation's clients read."""
    if operation.is_openai:
        assert set(body["error"]) == {"message", "type", "code", "param"}
        detail, _, next_step = str(body["error"]["message"]).partition(". ")
        return detail, str(body["error"]["code"]), next_step
    assert answer.content_type == "application/problem+json"
    assert (body["status"], bool(body["title"])) == (answer.status, True)
    return str(body["detail"]), str(body["type"]).removeprefix("urn:vigil:problem:"), str(body["next_step"])


@pytest.mark.parametrize("operation", KEYED, ids=str)
async def test_without_a_key_or_with_a_wrong_one(
    nobody: aiohttp.ClientSession, stranger: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    await refused(nobody, operation, names, 401, "key_missing")
    assert WRONG_KEY not in await refused(stranger, operation, names, 401, "key_wrong")


@pytest.mark.parametrize("operation", NAMED, ids=str)
async def test_another_tenants_session_is_answered_as_one_that_never_was(
    rival: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    never = names | {"session": GIVEN_ID}
    theirs = await refused(rival, operation, names, 404, "unknown_session")
    unknown = await refused(rival, operation, never, 404, "unknown_session")
    assert theirs.replace(names["session"], GIVEN_ID) == unknown


@pytest.mark.parametrize("operation", OF_A_SESSION, ids=str)
async def test_a_name_that_no_session_can_have(
    http: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    for session in ("a.b", "*", "x" * 65, "%20"):
        await refused(http, operation, names | {"session": session}, 404, "unknown_session")


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_a_body_that_is_not_a_json_object(
    http: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    for data in (b"{", b"text=1", b"\xff\xfe"):
        await refused(http, operation, names, 400, "malformed_json", data=data)
    for data in (b"", b"[]", b"null", b'"text"', b"3"):
        assert "body" in await refused(http, operation, names, 422, "invalid_request", data=data)


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_an_unknown_option_is_named(
    http: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    assert operation.body is not None
    for broken in with_unknown(operation.body):
        detail = await refused(http, operation, names, 422, "invalid_request", json=broken.body)
        assert detail == f"{broken.field}: Extra inputs are not permitted"


@pytest.mark.parametrize("operation", WITH_BODY, ids=str)
async def test_an_option_of_a_wrong_type_is_named(
    http: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    assert operation.body is not None
    broken_bodies = list(with_wrong_types(operation.body))
    assert broken_bodies
    for broken in broken_bodies:
        detail = await refused(http, operation, names, 422, "invalid_request", json=broken.body)
        assert detail.startswith(f"{broken.field}: "), broken


@pytest.mark.parametrize("operation", [operation for operation in ALL if operation.queries], ids=str)
async def test_a_parameter_that_breaks_its_rule_is_named(
    http: aiohttp.ClientSession, names: dict[str, str], operation: Operation
) -> None:
    for name, schema in operation.queries.items():
        for wrong in wrong_parameters(schema):
            detail = await refused(http, operation, names, 422, "invalid_request", params={name: wrong})
            assert detail.startswith((f"{name}: ", f"{name}.0: "))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("watch_id", "unknown_instruction"),
        ("instruction_id", "unknown_instruction"),
        ("alert_id", "unknown_alert"),
        ("task", "unknown_task"),
        ("approval", "unknown_approval"),
        ("pattern", "unknown_pattern"),
    ],
)
async def test_an_id_that_is_not_there(
    http: aiohttp.ClientSession, names: dict[str, str], name: str, kind: str
) -> None:
    about = [operation for operation in ALL if f"{{{name}}}" in operation.path]
    assert about
    for operation in about:
        expected = "unknown_snapshot" if operation.path.endswith("/snapshot") else kind
        for unknown in ("nothing", "a.b", "x" * 200):
            detail = await refused(http, operation, names | {name: unknown}, 404, expected)
            assert unknown[:80] in detail or name == "alert_id"


@pytest.mark.parametrize("operation", OF_A_SESSION, ids=str)
async def test_an_ended_session_takes_nothing_more_and_can_be_read(
    http: aiohttp.ClientSession, ended: dict[str, str], operation: Operation
) -> None:
    async with http.request(operation.method, operation.url(**ended), json=operation.valid()) as answer:
        status = answer.status
    if "/frames/" in operation.path:  # its pictures go with the session
        assert "until the session ends" in await refused(http, operation, ended, 404, "frame_gone")
    elif (operation.method, status) not in STILL_SERVED:
        assert "ended" in await refused(http, operation, ended, 409, "session_ended")


async def test_a_method_or_a_path_that_is_not_there(http: aiohttp.ClientSession, names: dict[str, str]) -> None:
    for path in {operation.path for operation in ALL}:
        there = {operation.method for operation in ALL if operation.path == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - there:
            wrong = next(operation for operation in ALL if operation.path == path)
            other = Operation(method, path, wrong.told)
            assert method in await refused(http, other, names, 405, "method_not_allowed", json=None)
        told = next(operation for operation in ALL if operation.path == path).told
        nowhere = Operation("GET", f"{path}/no/where", {"tags": told["tags"], "parameters": []})
        kind = "model_not_found" if path.startswith("/v1/models") else "no_such_path"  # a model's name may have slashes
        await refused(http, nowhere, names, 404, kind)


async def test_a_body_that_is_too_large(http: aiohttp.ClientSession, names: dict[str, str]) -> None:
    for operation in WITH_BODY:
        if not operation.is_openai:
            await refused(http, operation, names, 413, "body_too_large", data=b" " * 300_000)


async def test_what_is_refused_leaves_nothing_behind(stage: Stage, names: dict[str, str]) -> None:
    assert await stage.store.sessions("rival") == []
    async with stage.client() as client:
        assert [watch.text for watch in await client.watches(names["session"])] == ["Fire?"]
        assert [one.text for one in await client.instructions(names["session"])] == ["Greet."]
        assert (await client.session(names["session"])).state == "open"
