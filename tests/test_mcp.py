"""Vigil as an MCP server, asked by the client of MCP's own SDK, in the protocol's newest form and in the one before."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from gateway_stage import KEYS, VIEWER_KEY, Stage, gateway_stage
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, ImageContent, TextContent

from vigil.contract import subjects
from vigil.contract.snapshots import snapshot_name
from vigil.contract.streams import AUDIT
from vigil.core.command import Ask
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, Memory
from vigil.core.session import Chunk, SessionState
from vigil.core.turn import Exchange, FrameRef, Turn
from vigil.runtime.store.sessions import Commit
from vigil.testing.alert_events import alert_event
from vigil.testing.delegated import QUESTION, delegate, task_id
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil_client.options import NewSession, NewSource

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

READS = {
    "list_sessions",
    "show_session",
    "list_watches",
    "show_history",
    "memory",
    "recall",
    "list_tasks",
    "list_alerts",
    "show_alert",
    "show_newest_picture",
    "show_alert_picture",
}
ACTS = {"add_watch", "remove_watch", "ask"}
CAMERA = NewSession(NewSource("rtsp://user:secret@camera.local/1", "lobby", "Lobby"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The gateway with its doors for agents open, started once."""
    async with gateway_stage(tmp_path_factory.mktemp("gateway"), more={"AGENT_DOORS": "true"}) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="module")
async def session(stage: Stage) -> str:
    """The id of an open session of the tenant demo."""
    async with stage.client() as client:
        return (await client.create_session(CAMERA)).id


@asynccontextmanager
async def connected(stage: Stage, key: str = KEYS["demo"], mode: Any = "auto") -> AsyncIterator[Client]:
    """A client of MCP's SDK with a key."""
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
        Client(streamable_http_client(f"{stage.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def told(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers; it must be no error."""
    found = await client.call_tool(tool, arguments)
    assert not found.is_error, found
    answer: dict[str, Any] = found.structured_content
    return answer


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What the model is told of a call that fails."""
    found: CallToolResult = await client.call_tool(tool, arguments)
    assert found.is_error, found
    (words,) = found.content
    assert isinstance(words, TextContent)
    assert found.structured_content["next_step"]
    return words.text


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_tools_are_told_by_role_and_marked(stage: Stage, mode: str) -> None:
    async with connected(stage, mode=mode) as client:
        tools = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    assert set(tools) == READS | ACTS
    assert {name for name, hints in tools.items() if hints and hints.read_only_hint} == READS
    assert {name for name, hints in tools.items() if hints and hints.destructive_hint} == {"remove_watch"}
    async with connected(stage, VIEWER_KEY, mode) as viewer:
        assert {tool.name for tool in (await viewer.list_tools()).tools} == READS


async def test_a_watch_is_added_shown_and_removed(stage: Stage, session: str) -> None:
    async with connected(stage) as client:
        added = await told(
            client, "add_watch", session=session, text="Alert me when a fire starts.", severity="critical"
        )
        (watch,) = (await told(client, "list_watches", session=session))["watches"]
        assert (watch["id"], watch["name"], watch["severity"]) == (added["id"], "fire-starts", "critical")
        await told(client, "remove_watch", session=session, watch_id=added["id"])
        assert (await told(client, "list_watches", session=session))["watches"] == []
        assert "No such instruction" in await refused(client, "remove_watch", session=session, watch_id=added["id"])
        assert "text" in await refused(client, "add_watch", session=session)


async def test_who_may_only_read_may_not_act(stage: Stage, session: str) -> None:
    async with connected(stage, VIEWER_KEY) as viewer:
        shown = await told(viewer, "show_session", session=session)
        assert (shown["id"], "secret" in str(shown)) == (session, False)
        assert "operator" in await refused(viewer, "add_watch", session=session, text="Fire?")
        assert "operator" in await refused(viewer, "ask", session=session, text="Fire?")
    assert await stage.store.commands(SessionKey("demo", session)) == ()


async def test_pictures_come_as_pictures(stage: Stage, session: str) -> None:
    picture = jpeg((200, 30, 30))
    chunk = Chunk(turns=(Turn(0, 0, (FrameRef("u-1", 160, 96),), "</silence>"),))
    await stage.store.take(SessionKey("demo", session), 1)
    await stage.store.commit(
        SessionKey("demo", session),
        1,
        Commit(SessionState(1, 0, chunk), restart=True, frames=(("u-1", picture),)),
    )
    await stage.bus.put_snapshot(snapshot_name("demo", "a-1"), picture)
    async with connected(stage) as client:
        for tool, arguments in (
            ("show_newest_picture", {"session": session}),
            ("show_alert_picture", {"alert_id": "a-1"}),
        ):
            shown, words = (await client.call_tool(tool, arguments)).content
            assert isinstance(shown, ImageContent)
            assert (shown.mime_type, base64.b64decode(shown.data)) == ("image/jpeg", picture)
            assert isinstance(words, TextContent)
        assert "session" in await refused(client, "show_newest_picture", session="s-unknown")


async def test_alerts_and_history_are_read(stage: Stage, session: str) -> None:
    await stage.bus.publish_stored(replace(alert_event(1, "opened", session=session), message_id=f"demo.a-1.{session}"))
    async with connected(stage) as client:
        (alert,) = (await told(client, "list_alerts", session=session, open=True))["alerts"]
        assert (alert["alert_id"], alert["watch"]) == ("a-1", "fire")
        assert (await told(client, "show_alert", alert_id="a-1"))["events"][0]["event"] == "opened"
        assert (await told(client, "show_history", session=session, limit=5))["turns"] == []
        assert session in [found["id"] for found in (await told(client, "list_sessions"))["sessions"]]
        assert "since" in await refused(client, "list_alerts", since="yesterday")


async def test_delegated_questions_are_listed(stage: Stage, session: str) -> None:
    async with connected(stage, VIEWER_KEY) as viewer:
        assert (await told(viewer, "list_tasks", session=session))["tasks"] == []
        await delegate(stage.store, session)
        (task,) = (await told(viewer, "list_tasks", session=session))["tasks"]
    assert (task["id"], task["question"], task["state"]) == (task_id(session), QUESTION, "queued")


async def test_a_memory_is_shown_and_asked(stage: Stage, session: str) -> None:
    block = Block("0-100000-0", 0, 0, 100_000, "A red van came.")
    state = SessionState(5, 104_000, memory=Memory((block,)))
    await stage.commit(session, Commit(state, restart=True))
    async with connected(stage, VIEWER_KEY) as viewer:
        shown = await told(viewer, "memory", session=session)
        assert [found["text"] for found in shown["blocks"]] == ["A red van came."]
        assert "no memory service listens" in await refused(viewer, "recall", session=session, question="Which van?")
        assert "question" in await refused(viewer, "recall", session=session)


async def test_a_question_waits_for_its_answer(stage: Stage, session: str) -> None:
    key = SessionKey("demo", session)
    async with connected(stage) as client:
        assert (await told(client, "ask", session=session, text="Who?", wait_s=0))["exchange"] is None
        asking = asyncio.create_task(told(client, "ask", session=session, text="How many?"))
        await eventually(lambda: _is_asked(stage, key, "How many?"), what="it waits for the session")
        answered = Exchange("How many?", 1_000, "Two people.", 2_000)
        await stage.commit(session, Commit(SessionState(3, 2_000, dialogue=(answered,)), consumed=2))
        found = (await asking)["exchange"]
        assert (found["state"], found["answer"]) == ("answered", "Two people.")


async def _is_asked(stage: Stage, key: SessionKey, text: str) -> bool:
    return any(isinstance(command, Ask) and command.text == text for command in await stage.store.commands(key))


async def test_a_session_is_its_tenants_alone(stage: Stage, session: str) -> None:
    async with connected(stage, KEYS["rival"]) as rival:
        assert (await told(rival, "list_sessions"))["sessions"] == []
        for tool in ("show_session", "list_watches", "show_history", "memory", "list_tasks", "show_newest_picture"):
            assert "no session" in (await refused(rival, tool, session=session)).lower()
        assert "no session" in (await refused(rival, "add_watch", session=session, text="Fire?")).lower()
        assert (await told(rival, "list_alerts"))["alerts"] == []


async def test_an_unknown_tool_is_an_error_of_the_protocol(stage: Stage) -> None:
    async with connected(stage) as client:
        with pytest.raises(MCPError, match="list the tools"):
            await client.call_tool("end_everything", {})


@pytest.mark.parametrize(
    ("headers", "key", "status"),
    [
        ({}, None, 401),
        ({}, "another", 401),
        ({"Host": "evil.example"}, KEYS["demo"], 421),
        ({"Origin": "https://evil.example"}, KEYS["demo"], 403),
        ({"Cookie": "vigil-login=stolen"}, None, 401),
        ({"Content-Type": "text/plain"}, KEYS["demo"], 415),
    ],
)
async def test_a_refusal_says_what_to_do_in_the_protocols_form(
    stage: Stage, headers: dict[str, str], key: str | None, status: int
) -> None:
    body = {"jsonrpc": "2.0", "id": 3, "method": "tools/list"}
    async with stage.http(key) as http, http.post("/mcp", json=body, headers=headers) as answer:
        found = await answer.json()
        assert (answer.status, found["jsonrpc"], found["error"]["data"]["status"]) == (status, "2.0", status)
        assert found["error"]["data"]["next_step"]


async def test_a_body_is_bounded(stage: Stage) -> None:
    body = {"jsonrpc": "2.0", "id": 3, "method": "tools/list", "params": {"cursor": "x" * 300_000}}
    async with stage.http(KEYS["demo"]) as http, http.post("/mcp", json=body) as answer:
        assert (answer.status, (await answer.json())["error"]["data"]["type"]) == (
            413,
            "urn:vigil:problem:body_too_large",
        )


async def test_acts_are_in_the_audit(stage: Stage, session: str) -> None:
    async with connected(stage) as client:
        await told(client, "add_watch", session=session, text="Fire?")
        await told(client, "list_watches", session=session)

    async def recorded() -> bool:
        page = await stage.bus.stored(AUDIT, subjects.audit("demo"), 1, 1_000)
        records = [message.payload for message in page.messages if session.encode() in message.payload]
        return [b'"add_watch"' in record and b'"mcp"' in record for record in records] == [False, True]

    await eventually(recorded, what="the session's beginning and the watch are recorded, reading is not")
