"""Tools of MCP servers, against the server of the official SDK."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types import ToolAnnotations
from starlette.applications import Starlette

from vigil.testing.scripted_brain import ScriptedBrain, ToolUse
from vigil_brain.brains.kinds import open_brain
from vigil_brain.brains.mcp_session import tool_name
from vigil_brain.brains.port import Answer, BrainError, BrainTask
from vigil_brain.brains.spec import BrainSpec
from vigil_brain.testing.told import RecordedTold

Serve = Callable[[Starlette], AbstractAsyncContextManager[str]]


class Desk:
    """An MCP server with a tool that reads, one that writes, one that fails and one that floods."""

    def __init__(self) -> None:
        self.tickets: list[str] = []
        server = MCPServer("desk")
        reads = ToolAnnotations(read_only_hint=True)

        @server.tool(annotations=reads)
        def price(item: str) -> str:
            """What a thing costs"""
            return f"A {item} costs 45 euros."

        @server.tool()
        def open_ticket(title: str) -> str:
            """Opens a ticket"""
            self.tickets.append(title)
            return f"ticket {len(self.tickets)}"

        @server.tool(annotations=reads)
        def broken() -> str:
            """Fails"""
            raise ValueError("out of paper")

        @server.tool(annotations=reads)
        def flood() -> str:
            """Says far too much"""
            return "x" * 40_000_000

        self.app = server.streamable_http_app()


def calls(tool: str, **arguments: object) -> Any:
    """A model that calls the tool, and then says what it heard."""

    def answers(body: Mapping[str, Any]) -> str | ToolUse:
        last = body["messages"][-1]
        return str(last["content"]) if last["role"] == "tool" else ToolUse(tool, arguments)

    return answers


async def solve(server: ScriptedBrain, url: str, task: BrainTask, told: RecordedTold, **settings: object) -> Answer:
    tools = [{"name": "desk", "url": f"{url}/mcp", **settings}]
    spec = BrainSpec("test", "openai", {"url": server.url, "model": "scripted", "tools": tools}, timeout_s=60.0)
    async with open_brain(spec) as brain:
        return await brain.solve(task, told)


async def test_a_tool_that_only_reads_is_called_at_once(
    serve: Serve, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = calls("desk_price", item="lamp")
    async with serve(Desk().app) as url:
        answer = await solve(server, url, task, told)
    assert answer.text == "<<<data\nA lamp costs 45 euros.\ndata>>>"
    assert (told.said, told.asked) == (["uses desk_price"], [])
    offered = {tool["function"]["name"]: tool["function"] for tool in server.seen[0]["tools"]}
    assert offered.keys() == {"desk_price", "desk_open_ticket", "desk_broken", "desk_flood"}
    assert offered["desk_price"]["parameters"]["required"] == ["item"]


@pytest.mark.parametrize("is_granted", [True, False])
async def test_a_tool_that_changes_something_waits_for_an_operator(
    serve: Serve, server: ScriptedBrain, task: BrainTask, is_granted: bool
) -> None:
    told, desk = RecordedTold(grants=is_granted), Desk()
    server.answers = calls("desk_open_ticket", title="leak")
    async with serve(desk.app) as url:
        await solve(server, url, task, told)
    assert [(action.tool, action.arguments) for action in told.asked] == [("desk_open_ticket", {"title": "leak"})]
    assert desk.tickets == (["leak"] if is_granted else [])


async def test_hints_need_not_be_trusted(
    serve: Serve, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = calls("desk_price", item="lamp")
    async with serve(Desk().app) as url:
        answer = await solve(server, url, task, told, trust_hints=False)
    assert [action.tool for action in told.asked] == ["desk_price"]
    assert "did not allow" in answer.text


async def test_only_the_tools_that_are_allowed_are_offered(
    serve: Serve, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = calls("desk_open_ticket", title="leak")
    desk = Desk()
    async with serve(desk.app) as url:
        answer = await solve(server, url, task, told, allow=["price"])
    assert [tool["function"]["name"] for tool in server.seen[0]["tools"]] == ["desk_price"]
    assert "There is no tool" in answer.text
    assert (desk.tickets, told.asked) == ([], [])


async def test_a_tool_that_fails_is_told_to_the_model(
    serve: Serve, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = calls("desk_broken")
    async with serve(Desk().app) as url:
        assert "The tool failed" in (await solve(server, url, task, told)).text


async def test_a_tool_that_floods_is_not_read(
    serve: Serve, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = calls("desk_flood")
    async with serve(Desk().app) as url:
        with pytest.raises(BrainError, match="sent more than"):
            await solve(server, url, task, told)


async def test_a_tool_server_that_is_away_is_told_in_plain_words(
    server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    with pytest.raises(BrainError, match="tool server desk cannot be used") as caught:
        await solve(server, "http://127.0.0.1:9", task, told)
    assert caught.value.is_transient


async def test_a_model_that_fails_beside_tools_is_told_as_it_is(
    serve: Serve, server: ScriptedBrain, task: BrainTask, told: RecordedTold
) -> None:
    server.answers = lambda body: " "
    async with serve(Desk().app) as url:
        with pytest.raises(BrainError, match="answered nothing"):
            await solve(server, url, task, told)


def test_names_are_such_as_models_take() -> None:
    assert tool_name("desk", "files/read all") == "desk_files_read_all"
    assert len(tool_name("desk", "x" * 200)) == 64
