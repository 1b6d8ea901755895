"""Sessions with MCP servers by the official SDK, for the time of one task."""

import json
import re
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from mcp_types import Tool as ServerTool

from vigil_brain.brains.http_client import CONNECT_S, SILENCE_S, shortened
from vigil_brain.brains.port import MAX_READ_BYTES, BrainError
from vigil_brain.brains.tool_server import ToolServer
from vigil_brain.brains.toolbox import Tool, Toolbox, ToolCall

MAX_TOOLS = 64
MAX_RESULT_CHARS = 60_000
MAX_PAGES = 8
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")
_MAX_NAME_CHARS = 64
_FAILURES = (MCPError, httpx2.HTTPError, OSError, TimeoutError, RuntimeError, ValueError)


class TooMuch(httpx2.ReadError):
    """A tool server sent more than is read."""


@dataclass(frozen=True, slots=True)
class _Offer:
    """A tool and the session that it belongs to."""

    tool: Tool
    name: str
    client: Client


class McpToolbox:
    """The tools of several servers under one roof."""

    def __init__(self, offers: Sequence[_Offer]) -> None:
        self._offers = {offer.tool.name: offer for offer in offers}

    @property
    def tools(self) -> Sequence[Tool]:
        return [offer.tool for offer in self._offers.values()]

    async def call(self, call: ToolCall) -> str:
        offer = self._offers[call.tool]
        try:
            result = await offer.client.call_tool(offer.name, dict(call.arguments), read_timeout_seconds=SILENCE_S)
        except _FAILURES as error:
            return f"The tool failed: {shortened(error)}"
        return result_text(result)


@asynccontextmanager
async def open_tools(servers: Sequence[ToolServer], trusted: ssl.SSLContext | None = None) -> AsyncIterator[Toolbox]:
    """A session with each server; `trusted`: see `BrainSpec`.

    Raises `BrainError` when one cannot be reached, or sends more than is read. What fails inside the block
    is raised behind it: the task groups of the SDK would wrap it.
    """
    failure: BrainError | None = None
    try:
        async with AsyncExitStack() as stack:
            offers: list[_Offer] = []
            for server in servers:
                offers += await _offers(stack, server, trusted)
            if len(offers) > MAX_TOOLS:
                raise BrainError(
                    f"the tool servers have {len(offers)} tools, {MAX_TOOLS} at most: name some in 'allow'"
                )
            try:
                yield McpToolbox(offers)
            except BrainError as error:
                failure = error
    except ExceptionGroup as group:
        raise _first(group) from None
    if failure is not None:
        raise failure


def _first(group: ExceptionGroup[Exception]) -> BrainError:
    """What the SDK's task groups wrapped, in plain words."""
    leaf: Exception = group
    while isinstance(leaf, ExceptionGroup):
        leaf = leaf.exceptions[0]
    if isinstance(leaf, BrainError):
        return leaf
    if isinstance(leaf, TooMuch):
        return BrainError(f"a tool server sent more than {MAX_READ_BYTES:,} bytes")
    return BrainError(f"a tool server failed ({type(leaf).__name__})", is_transient=True)


def result_text(result: CallToolResult) -> str:
    """The text of a tool's result, within a bound; other content is named, not shown."""
    pieces = [
        content.text if isinstance(content, TextContent) else f"[{content.type}, not shown]"
        for content in result.content
    ]
    if not pieces and result.structured_content is not None:
        pieces = [json.dumps(result.structured_content, ensure_ascii=False)]
    text = "\n".join(pieces)[:MAX_RESULT_CHARS]
    return f"The tool failed: {text}" if result.is_error else text


def tool_name(server: str, tool: str) -> str:
    """The name under which the model knows a tool: letters, digits, `_` and `-`, 64 at most."""
    return _FOREIGN.sub("_", f"{server}_{tool}")[:_MAX_NAME_CHARS]


async def _offers(stack: AsyncExitStack, server: ToolServer, trusted: ssl.SSLContext | None) -> list[_Offer]:
    """Open the session and list its tools."""
    headers = {"Authorization": f"Bearer {server.key}"} if server.key else {}
    timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_S)
    transport = _Bounded(verify=trusted or True, trust_env=False)
    http = httpx2.AsyncClient(headers=headers, timeout=timeout, transport=transport, trust_env=False)
    try:
        await stack.enter_async_context(http)
        session = Client(streamable_http_client(server.url, http_client=http), read_timeout_seconds=SILENCE_S)
        client = await stack.enter_async_context(session)
        listed = await _listed(client)
    except (*_FAILURES, ExceptionGroup):
        reason = f"the tool server {server.name} cannot be used: check its url and key, and that it is an MCP server"
        raise BrainError(reason, is_transient=True) from None
    return [
        _Offer(_tool(server, tool), tool.name, client)
        for tool in listed
        if not server.allow or tool.name in server.allow
    ]


async def _listed(client: Client) -> list[ServerTool]:
    tools: list[ServerTool] = []
    cursor: str | None = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor:
            break
    return tools


def _tool(server: ToolServer, tool: ServerTool) -> Tool:
    hint = tool.annotations is not None and tool.annotations.read_only_hint is True
    description = shortened(tool.description or tool.title or "")
    return Tool(tool_name(server.name, tool.name), description, tool.input_schema, hint and server.trust_hints)


class _Bounded(httpx2.AsyncHTTPTransport):
    """Reads `MAX_READ_BYTES` of an answer and not more."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Counted(response.stream)
        return response


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream
        self._left = MAX_READ_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooMuch(f"more than {MAX_READ_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
