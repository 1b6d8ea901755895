"""The doors for other agents, where the operator opened them. Their SDKs are loaded only then."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module

from starlette.routing import BaseRoute

from vigil.runtime.process.startup import StartupError
from vigil_gateway.ports import Ports

_PACKAGE = "vigil_gateway.agent"


@asynccontextmanager
async def agent_routes(ports: Ports) -> AsyncIterator[Sequence[BaseRoute]]:
    """The routes of A2A and MCP for as long as the block runs; none where the doors are closed. Raises `StartupError`
    where the SDKs are not installed."""
    if not ports.settings.agent_doors:
        yield ()
        return
    try:
        a2a, mcp = import_module(f"{_PACKAGE}.a2a.routes"), import_module(f"{_PACKAGE}.mcp.routes")
    except ModuleNotFoundError as error:
        raise StartupError(
            f"VIGIL_AGENT_DOORS needs the package {error.name}: install vigil-gateway[agents], or leave it out"
        ) from error
    async with mcp.routes(ports) as found:
        yield (*a2a.routes(ports), *found)
