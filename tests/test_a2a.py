"""Vigil as an A2A agent, asked by the client of A2A's own SDK over both bindings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.types.a2a_pb2 import (
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskState,
)
from a2a.utils.errors import A2AError
from gateway_stage import KEYS, VIEWER_KEY, Stage, gateway_stage, second_gateway
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value

from vigil.contract import subjects
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import AUDIT
from vigil.core.command import Clear, Instruct
from vigil.core.ids import SessionKey
from vigil.core.session import SessionState
from vigil.runtime.store.sessions import Commit
from vigil.testing.alert_events import alert_event
from vigil.testing.eventually import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

BINDINGS = ("JSONRPC", "HTTP+JSON")
CAMERA = {"source": {"url": "rtsp://user:secret@camera.local/1", "id": "lobby"}, "name": "fire"}
WORDS = "Alert me when a fire starts."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway with its doors for agents open, started once."""
    settings = {"AGENT_DOORS": "true", "AGENT_HOSTS": "vigil.example", "STREAMS_PER_TENANT": 4}
    async with gateway_stage(tmp_path_factory.mktemp("gateway"), more=settings) as opened:
        yield opened


@asynccontextmanager
async def agent(url: str, key: str = KEYS["demo"], binding: str = "JSONRPC") -> AsyncIterator[Client]:
    """A client of A2A's SDK that knows no more than the gateway's address and a key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        config = ClientConfig(
            httpx_client=http, supported_protocol_bindings=[binding], use_client_preference=True, streaming=True
        )
        yield await ClientFactory(config).create_from_url(url)


def says(text: str = "", data: dict[str, Any] | None = None, **more: Any) -> SendMessageRequest:
    """A message with these parts, to be answered at once."""
    parts = [Part(text=text)] if text else []
    parts += [Part(data=ParseDict(data, Value()))] if data is not None else []
    message = Message(message_id=str(uuid4()), role=Role.ROLE_USER, parts=parts, **more)
    return SendMessageRequest(message=message, configuration=SendMessageConfiguration(return_immediately=True))


async def begun(client: Client, request: SendMessageRequest) -> Task:
    """The task that a message begins, as its stream tells it first."""
    async for found in client.send_message(request):
        return found.task
    raise AssertionError("the stream ended before it began")


def session_of(task: Task) -> str:
    return str(task.metadata["session"])


def state_of(task: Task) -> str:
    return TaskState.Name(task.status.state).removeprefix("TASK_STATE_")


async def work(stage: Stage, session: str) -> None:
    """Do what an interaction worker does with a turn: all that waits is shown to the model."""
    key = SessionKey("demo", session)
    found = (await stage.store.history(key)).instructions
    waiting = await stage.store.commands(key)
    for command in waiting:
        match command:
            case Instruct(instruction=new):
                found = (*found, replace(new, given_at=0))
            case Clear(instruction_id=gone):
                found = tuple(kept for kept in found if kept.id != gone)
            case _:
                pass
    await stage.commit(session, Commit(SessionState(1, 0, instructions=found), consumed=len(waiting)))


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_watch_streams_its_alerts_and_ends_with_its_task(stage: Stage, binding: str) -> None:
    async with agent(stage.url, binding=binding) as client, stage.client() as rest:
        told: asyncio.Queue[StreamResponse] = asyncio.Queue()

        async def follow() -> None:
            async for found in client.send_message(says(WORDS, CAMERA)):
                told.put_nowait(found)

        following = asyncio.create_task(follow())
        first = (await told.get()).task
        session, watch = session_of(first), str(first.metadata["watch"])
        assert state_of(first) == "SUBMITTED"
        assert [part.text for part in first.history[0].parts] == [WORDS]
        (standing,) = await rest.watches(session)
        assert (standing.id, standing.name, standing.text) == (watch, "fire", WORDS)
        await work(stage, session)
        assert (await told.get()).status_update.status.state == TaskState.TASK_STATE_WORKING

        ours = {"session": session, "instruction_id": watch, "alert_id": f"a-{session}"}
        await stage.bus.publish_stored(alert_event(1, "opened", instruction_id="w-other", session=session))
        for number, state in enumerate(("opened", "updated", "closed")):
            await stage.bus.publish_stored(_event(number, state, ours))
        updates = [(await told.get()).artifact_update for _ in range(3)]
        assert [MessageToDict(update.artifact.parts[1].data)["state"] for update in updates] == [
            "opened",
            "updated",
            "closed",
        ]
        assert [update.last_chunk for update in updates] == [False, False, True]
        assert {update.artifact.artifact_id for update in updates} == {f"a-{session}"}

        cancelled = await client.cancel_task(CancelTaskRequest(id=first.id))
        assert state_of(cancelled) == "CANCELED"
        assert (await told.get()).status_update.status.state == TaskState.TASK_STATE_CANCELED
        await following
        assert (await rest.session(session)).state == "ended", "the session that the task opened ends with it"
        with pytest.raises(A2AError, match="over already"):
            await client.cancel_task(CancelTaskRequest(id=first.id))
        with pytest.raises(A2AError, match="Read it with GetTask"):
            async for _ in client.subscribe(SubscribeToTaskRequest(id=first.id)):
                pass


def _event(number: int, state: str, ours: dict[str, str]) -> Outgoing:
    """An event of our alert: its id in the stream is the alert's and the number."""
    return replace(alert_event(1, state, number, **ours), message_id=f"demo.{ours['alert_id']}.{number}")


async def test_a_watch_in_a_session_of_others_ends_alone(stage: Stage) -> None:
    async with agent(stage.url) as client, stage.client() as rest:
        opened = await begun(client, says(WORDS, CAMERA))
        session = session_of(opened)
        second = await begun(client, says("Somebody falls.", {"session": session, "severity": "critical"}))
        assert {watch.text for watch in await rest.watches(session)} == {WORDS, "Somebody falls."}
        await client.cancel_task(CancelTaskRequest(id=second.id))
        assert {watch.text for watch in await rest.watches(session)} == {WORDS}
        assert (await rest.session(session)).state == "open"
        await rest.end_session(session)
        ended = await client.get_task(GetTaskRequest(id=opened.id))
        assert (state_of(ended), "the client ended it" in ended.status.message.parts[0].text) == ("CANCELED", True)


@pytest.mark.parametrize("binding", BINDINGS)
async def test_what_is_missing_is_asked_for_and_may_follow(stage: Stage, binding: str) -> None:
    async with agent(stage.url, binding=binding) as client, stage.client() as rest:
        asked = await begun(client, says(WORDS, context_id="ours"))
        assert (state_of(asked), asked.context_id) == ("INPUT_REQUIRED", "ours")
        assert "Which camera?" in asked.status.message.parts[0].text
        wrong = await begun(client, says(data={"camera": 1}, task_id=asked.id))
        assert (wrong.id, state_of(wrong)) == (asked.id, "INPUT_REQUIRED")
        assert "camera" in wrong.status.message.parts[0].text
        right = await begun(client, says(data=CAMERA, task_id=asked.id))
        assert (right.id, state_of(right), len(right.history)) == (asked.id, "SUBMITTED", 3)
        assert "secret" not in str(right)
        (watch,) = await rest.watches(session_of(right))
        assert watch.text == WORDS, "the words came in the first message"
        short = await client.get_task(GetTaskRequest(id=asked.id, history_length=1))
        assert len(short.history) == 1
        with pytest.raises(A2AError, match="watches already"):
            await begun(client, says("And more.", task_id=asked.id))
        await client.cancel_task(CancelTaskRequest(id=asked.id))


async def test_any_gateway_answers_for_a_task(stage: Stage, tmp_path: Path) -> None:
    async with agent(stage.url) as client:
        task = await begun(client, says(WORDS, CAMERA))
        await work(stage, session_of(task))
        async with second_gateway(stage, tmp_path) as url, agent(url) as elsewhere:
            found = await elsewhere.get_task(GetTaskRequest(id=task.id))
            assert (state_of(found), found.history[0]) == ("WORKING", task.history[0])
            following = client.subscribe(SubscribeToTaskRequest(id=task.id))
            assert state_of((await anext(following)).task) == "WORKING"
            await elsewhere.cancel_task(CancelTaskRequest(id=task.id))
            states = [update.status_update.status.state async for update in following]
        assert states == [TaskState.TASK_STATE_CANCELED], "the first gateway's stream ends with the task"


async def test_a_call_that_waits_gets_the_first_alert(stage: Stage) -> None:
    async with agent(stage.url) as client:
        task = await begun(client, says(WORDS, CAMERA))
        session, request = session_of(task), says("Smoke?", {"session": session_of(task)})
        request.configuration.return_immediately = False
        http = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": MessageToDict(request)}
        waiting = asyncio.create_task(_rpc(stage, http))
        key = SessionKey("demo", session)
        await eventually(lambda: _has_commands(stage, key, 2), what="the second watch is there")
        watch = (await stage.store.commands(key))[1]
        assert isinstance(watch, Instruct)
        ours = {"session": session, "instruction_id": watch.instruction.id, "alert_id": f"b-{session}"}

        numbers = count()

        async def told() -> bool:
            """Tell again and again: nobody says when the call has begun to listen."""
            await stage.bus.publish_stored(_event(next(numbers), "updated", ours))
            return waiting.done()

        await eventually(told, what="the call is answered")
        answer = (await waiting)["result"]["task"]
        assert answer["artifacts"][0]["artifactId"] == f"b-{session}"
        await client.cancel_task(CancelTaskRequest(id=task.id))


async def _has_commands(stage: Stage, key: SessionKey, most: int) -> bool:
    return len(await stage.store.commands(key)) == most


async def _rpc(stage: Stage, body: Any, key: str | None = KEYS["demo"], **headers: str) -> dict[str, Any]:
    async with stage.http(key) as http, http.post("/a2a", json=body, headers={"A2A-Version": "1.0", **headers}) as got:
        return {"status": got.status, **await got.json()}


async def test_tasks_are_listed_page_by_page(stage: Stage) -> None:
    async with agent(stage.url) as client:
        made = [await begun(client, says(f"Number {number}", context_id="paged")) for number in range(3)]
        first = await client.list_tasks(ListTasksRequest(context_id="paged", page_size=2))
        second = await client.list_tasks(
            ListTasksRequest(context_id="paged", page_size=2, page_token=first.next_page_token)
        )
        assert [task.id for page in (first, second) for task in page.tasks] == [task.id for task in reversed(made)]
        assert (first.total_size, second.next_page_token) == (3, "")
        await client.cancel_task(CancelTaskRequest(id=made[0].id))
        waiting = ListTasksRequest(context_id="paged", status=TaskState.TASK_STATE_INPUT_REQUIRED)
        assert (await client.list_tasks(waiting)).total_size == 2
        for wrong in (
            ListTasksRequest(page_size=0),
            ListTasksRequest(page_token="none"),
            ListTasksRequest(page_size=101),
        ):
            with pytest.raises(A2AError):
                await client.list_tasks(wrong)


async def test_a_task_is_its_tenants_alone(stage: Stage) -> None:
    async with agent(stage.url) as client, agent(stage.url, KEYS["rival"]) as rival:
        task = await begun(client, says(WORDS))
        for tried in (rival.get_task(GetTaskRequest(id=task.id)), rival.cancel_task(CancelTaskRequest(id=task.id))):
            with pytest.raises(A2AError, match="there is no task"):
                await tried
        with pytest.raises(A2AError, match="there is no task"):
            await begun(rival, says(WORDS, task_id=task.id))
        assert (await rival.list_tasks(ListTasksRequest())).total_size == 0
        other = await _rpc(stage, _request("GetTask", {"id": task.id, "tenant": "rival"}))
        assert "does not speak for the tenant" in other["error"]["message"]


def _request(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


async def test_who_may_only_read_may_not_act(stage: Stage) -> None:
    async with agent(stage.url) as client, agent(stage.url, VIEWER_KEY) as viewer:
        task = await begun(client, says(WORDS))
        assert state_of(await viewer.get_task(GetTaskRequest(id=task.id))) == "INPUT_REQUIRED"
    refused = await _rpc(stage, _request("CancelTask", {"id": task.id}), VIEWER_KEY)
    assert (refused["status"], refused["id"], refused["error"]["code"]) == (403, 7, -32000)
    assert "operator" in refused["error"]["message"]
    async with stage.http(VIEWER_KEY) as http, http.post("/a2a/message:send", json={}) as answer:
        assert (answer.status, (await answer.json())["error"]["status"]) == (403, "PERMISSION_DENIED")


@pytest.mark.parametrize(
    ("headers", "key", "status"),
    [
        ({}, None, 401),
        ({}, "another", 401),
        ({"Host": "evil.example"}, KEYS["demo"], 421),
        ({"Origin": "https://evil.example"}, KEYS["demo"], 403),
        ({"Origin": "https://vigil.example", "Host": "vigil.example"}, KEYS["demo"], 200),
    ],
)
async def test_a_refusal_says_what_to_do_in_the_protocols_form(
    stage: Stage, headers: dict[str, str], key: str | None, status: int
) -> None:
    answer = await _rpc(stage, _request("ListTasks", {}), key, **headers)
    assert answer["status"] == status
    if status != 200:
        assert answer["error"]["data"][0]["metadata"]["nextStep"]
    async with stage.http(key) as http, http.get("/a2a/tasks", headers={"A2A-Version": "1.0", **headers}) as rest:
        told = await rest.json()
        assert rest.status == status
        assert status == 200 or told["error"]["details"][0]["metadata"]["nextStep"]


async def test_the_card_says_where_and_how(stage: Stage) -> None:
    async with stage.http(None) as http:
        async with http.get("/.well-known/agent-card.json", headers={"Host": "vigil.example"}) as answer:
            card = await answer.json()
        assert [found["url"] for found in card["supportedInterfaces"]] == ["http://vigil.example/a2a"] * 2
        assert "httpAuthSecurityScheme" in card["securitySchemes"]["key"]
        headers = {"Host": "vigil.example", "If-None-Match": answer.headers["ETag"]}
        async with http.get("/.well-known/agent-card.json", headers=headers) as again:
            assert again.status == 304
        async with http.get("/.well-known/agent-card.json", headers={"Host": "evil.example"}) as evil:
            assert evil.status == 421


async def test_acts_are_in_the_audit(stage: Stage) -> None:
    async with agent(stage.url) as client:
        task = await begun(client, says(WORDS, CAMERA))
        await client.cancel_task(CancelTaskRequest(id=task.id))
    session = session_of(task)

    async def recorded() -> bool:
        page = await stage.bus.stored(AUDIT, subjects.audit("demo"), 1, 1_000)
        return sum(session.encode() in message.payload for message in page.messages) == 2

    await eventually(recorded, what="both acts are recorded with their session")
