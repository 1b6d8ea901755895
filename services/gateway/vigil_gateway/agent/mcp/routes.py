"""MCP at the gateway, served by MCP's own SDK behind our door."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.routing import Route

from vigil_gateway.agent.door import AgentDoor
from vigil_gateway.agent.mcp.protocol import PATH, Mcp
from vigil_gateway.agent.mcp.server import server
from vigil_gateway.api.sizes import MAX_BODY_BYTES
from vigil_gateway.ports import Ports


@asynccontextmanager
async def routes(ports: Ports) -> AsyncIterator[tuple[Route, ...]]:
    """The route of MCP, for as long as the block runs. Requests are POSTs, each answered by itself: there is no session
    that another gateway would not know, and no stream that stays open."""
    logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what clients do wrong; the door counts that
    manager = StreamableHTTPSessionManager(
        server(ports), json_response=True, stateless=True, max_request_body_size=MAX_BODY_BYTES
    )
    async with manager.run():
        yield (Route(PATH, AgentDoor(ports, Mcp(), manager.handle_request), methods=["POST"]),)
