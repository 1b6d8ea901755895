"""What the door must know of A2A: what a request asks for over either binding, and how a refusal looks there."""

from typing import Any

import msgspec
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from vigil.contract.api_keys import KeyRole
from vigil.contract.unreadable import UNREADABLE
from vigil_gateway.agent.a2a.errors import code_and_details
from vigil_gateway.agent.door import Call
from vigil_gateway.api.problems import Problem
from vigil_gateway.api.responses import headers_of
from vigil_gateway.ports import READING
from vigil_gateway.rpc.status import code_of, message_of

JSONRPC = "/a2a"
RPC_PATHS = (JSONRPC, f"{JSONRPC}/")  # clients differ in how they join the card's address and an empty path
OTHER = "other"

_READS = ("GetTask", "ListTasks", "SubscribeToTask", "GetExtendedAgentCard")
_ACTS = ("SendMessage", "SendStreamingMessage", "CancelTask")
_PUSH = tuple(
    f"{verb}TaskPushNotificationConfig{plural}"
    for verb, plural in (("Create", ""), ("Get", ""), ("List", "s"), ("Delete", ""))
)
_KNOWN = frozenset((*_READS, *_ACTS, *_PUSH))
# The ends of the REST binding's paths; a path with none of them is a task's own.
_ENDS = {
    "/message:send": "SendMessage",
    "/message:stream": "SendStreamingMessage",
    ":cancel": "CancelTask",
    ":subscribe": "SubscribeToTask",
    "/tasks": "ListTasks",
    "/extendedAgentCard": "GetExtendedAgentCard",
}


class A2A:
    """A2A 1.0 over JSON-RPC at `/a2a`, and over REST below it."""

    name = "a2a"

    def call_of(self, scope: Scope, body: bytes) -> Call:
        """An act takes an operator. What is unknown is read as one that changes nothing: the SDK refuses it."""
        name = _method_of(body) if scope["path"] in RPC_PATHS else _operation_of(scope)
        is_act = name in _ACTS
        return Call(name, KeyRole.OPERATOR if is_act else KeyRole.VIEWER, is_act)

    def refusal(self, scope: Scope, body: bytes, problem: Problem) -> Response:
        """An error of JSON-RPC, or one in the form of Google's APIs (AIP-193), which the REST binding has."""
        status, (code, details) = problem.row.status, code_and_details(problem)
        if scope["path"] in RPC_PATHS:
            error: dict[str, Any] = {"code": code, "message": message_of(problem), "data": details}
            return JSONResponse({"jsonrpc": "2.0", "id": _id_of(body), "error": error}, status, headers_of(problem))
        error = {"code": status, "status": code_of(problem).name, "message": message_of(problem), "details": details}
        return JSONResponse({"error": error}, status, headers_of(problem))


def _operation_of(scope: Scope) -> str:
    path: str = scope["path"]
    if "/pushNotificationConfigs" in path:
        return _PUSH[1] if scope["method"] in READING else _PUSH[0]
    return next((name for end, name in _ENDS.items() if path.endswith(end)), "GetTask")


def _request_of(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except UNREADABLE:
        return {}
    return found if isinstance(found, dict) else {}


def _method_of(body: bytes) -> str:
    method = _request_of(body).get("method")
    return method if isinstance(method, str) and method in _KNOWN else OTHER


def _id_of(body: bytes) -> str | int | None:
    found = _request_of(body).get("id")
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None
