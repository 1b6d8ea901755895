"""The MCP server: Vigil's tools, served by MCP's own SDK. It keeps nothing between two requests."""

import base64
import json
from typing import Any

import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from vigil.contract.api_keys import ApiKey
from vigil_gateway.agent.mcp import acting, reading
from vigil_gateway.agent.mcp.tool import Answer, Picture, Tool
from vigil_gateway.alerts.snapshots import JPEG
from vigil_gateway.api.auth import require
from vigil_gateway.api.failures import log_failure
from vigil_gateway.api.problems import Problem, problem_of
from vigil_gateway.audit.noted import note_status
from vigil_gateway.ports import Ports

VERSION = "1.0.0"
TOOLS = {tool.name: tool for tool in (*reading.TOOLS, *acting.TOOLS)}
# Which tools there are depends on the key's role, which an operator may change.
_TOOLS_FRESH = CacheHint(ttl_ms=60_000, scope="private")

Context = ServerRequestContext[dict[str, Any], Request]


def server(ports: Ports) -> Server[dict[str, Any]]:
    """The server, of every tenant: each request has its own key."""

    async def list_tools(context: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        holder = _holder(context)
        return types.ListToolsResult(tools=[_shown(tool) for tool in TOOLS.values() if holder.role.covers(tool.needed)])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(
                types.INVALID_PARAMS,
                f"there is no tool {params.name[:80]!r}: list the tools",
                {"next_step": "List the tools with tools/list."},
            )
        return await _called(ports, _holder(context), tool, params.arguments or {})

    return Server(
        "vigil",
        version=VERSION,
        title="Vigil",
        instructions="Vigil watches live video: each second a vision-language model sees the newest picture of a "
        "session and decides to stay silent or to speak. A watch raises alerts. Begin with list_sessions.",
        cache_hints={"tools/list": _TOOLS_FRESH},
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _called(ports: Ports, holder: ApiKey, tool: Tool, arguments: dict[str, Any]) -> types.CallToolResult:
    """What the tool answers; an error is told to the model, so that it can do better."""
    try:
        require(holder, tool.needed)
        answer = await tool.run(ports, holder.tenant, tool.takes.model_validate(arguments))
    except Exception as error:  # noqa: BLE001  whatever it is, it ends the call as a problem
        problem = problem_of(error)
        log_failure(problem, error, method=tool.name)
        note_status(problem.row.status)
        return _failed(problem)
    return types.CallToolResult(
        content=_content(answer), structured_content=None if isinstance(answer, Picture) else answer
    )


def _content(answer: Answer) -> list[types.ContentBlock]:
    if isinstance(answer, Picture):
        data = base64.b64encode(answer.jpeg).decode()
        return [types.ImageContent(data=data, mime_type=JPEG), types.TextContent(text=answer.words)]
    return [types.TextContent(text=json.dumps(answer, ensure_ascii=False))]


def _failed(problem: Problem) -> types.CallToolResult:
    words = f"{problem.row.title}: {problem.detail}. {problem.row.next_step}"
    return types.CallToolResult(
        content=[types.TextContent(text=words)], structured_content=problem.as_json(), is_error=True
    )


def _shown(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes.model_json_schema(),
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=not tool.is_act,
            destructive_hint=tool.ends,
            idempotent_hint=not tool.is_act,
            open_world_hint=False,
        ),
    )


def _holder(context: Context) -> ApiKey:
    if context.request is None:
        raise MCPError(types.INTERNAL_ERROR, "the request did not come through the gateway's door")
    holder: ApiKey = context.request.state.holder
    return holder
