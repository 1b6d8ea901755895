"""A2A at the gateway: the card, JSON-RPC and REST, served by the routes of A2A's own SDK behind our door."""

import logging
from collections.abc import Awaitable, Callable, Iterator

from a2a.server.context import ServerCallContext
from a2a.server.routes import (
    DefaultServerCallContextBuilder,
    create_agent_card_routes,
    create_jsonrpc_routes,
    create_rest_routes,
)
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vigil_gateway.agent.a2a.card import CACHE, PATH, card
from vigil_gateway.agent.a2a.handler import HOLDER, WatchHandler
from vigil_gateway.agent.a2a.protocol import A2A, JSONRPC, RPC_PATHS
from vigil_gateway.agent.door import AgentDoor
from vigil_gateway.agent.hosts import check_host
from vigil_gateway.ports import Ports


class _ContextBuilder(DefaultServerCallContextBuilder):
    """Tells the handler whose request it is."""

    def build(self, request: Request) -> ServerCallContext:
        context = super().build(request)
        context.state[HOLDER] = request.state.holder
        return context


def routes(ports: Ports) -> Iterator[Route]:
    """Every route of A2A."""
    logging.getLogger("a2a").setLevel(logging.CRITICAL)  # it logs what clients do wrong; the door counts that
    handler, builder, protocol = WatchHandler(ports), _ContextBuilder(), A2A()
    yield Route(PATH, _card_of(ports), methods=["GET"])
    found: list[BaseRoute] = [
        *(route for path in RPC_PATHS for route in create_jsonrpc_routes(handler, path, builder)),
        *create_rest_routes(handler, builder, path_prefix=JSONRPC),
    ]
    # The SDK also has every route below a tenant's name; here the key says whose a request is.
    for route in found:
        if isinstance(route, Route):
            yield Route(route.path, AgentDoor(ports, protocol, route.app), methods=route.methods)


def _card_of(ports: Ports) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        """The card with the address by which this client came."""
        host = request.headers.get("host", "")
        check_host(host, ports.settings.agent_names)
        (route,) = create_agent_card_routes(card(f"{request.url.scheme}://{host}"), cache_control=CACHE)
        answer: Response = await route.endpoint(request)
        return answer

    return show
