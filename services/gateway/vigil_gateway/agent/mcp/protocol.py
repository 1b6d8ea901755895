"""What the door must know of MCP: which tool a request calls, and how a refusal looks there."""

from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from vigil.contract.unreadable import UNREADABLE
from vigil_gateway.agent.door import Call
from vigil_gateway.agent.mcp.server import TOOLS
from vigil_gateway.api.problems import Problem
from vigil_gateway.api.responses import headers_of

PATH = "/mcp"
OTHER = "other"
_CALL = "tools/call"
_KNOWN = frozenset({"initialize", "ping", "server/discover", "tools/list", "notifications/initialized"})
_REFUSED = -32_000


class Mcp:
    """MCP over HTTP at `/mcp`. Its tools ask for their roles themselves: a model is told so as a tool's error."""

    name = "mcp"

    def call_of(self, scope: Scope, body: bytes) -> Call:
        """The tool, or the method where no tool is called."""
        request = _request_of(body)
        method, params = request.get("method"), request.get("params")
        if method == _CALL and isinstance(params, dict):
            name = params.get("name")
            tool = TOOLS.get(name) if isinstance(name, str) else None
            return Call(OTHER if tool is None else tool.name, is_act=tool is not None and tool.is_act)
        return Call(method if isinstance(method, str) and method in _KNOWN else OTHER)

    def refusal(self, scope: Scope, body: bytes, problem: Problem) -> Response:
        """An error of JSON-RPC."""
        error: dict[str, Any] = {"code": _REFUSED, "message": problem.detail, "data": problem.as_json()}
        found = _request_of(body).get("id")
        request_id = found if isinstance(found, str | int) and not isinstance(found, bool) else None
        told = {"jsonrpc": "2.0", "id": request_id, "error": error}
        return JSONResponse(told, problem.row.status, headers_of(problem))


def _request_of(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return found if isinstance(found, dict) else {}
