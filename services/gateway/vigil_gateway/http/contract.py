"""The OpenAPI document: what FastAPI makes of the routes, and what it cannot say. And which operations there are."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from starlette.routing import compile_path

from vigil_gateway.api.models.events import DATA
from vigil_gateway.api.models.wall import DATA as WALL
from vigil_gateway.api.responses import MEDIA_TYPE
from vigil_gateway.openai.turn import SESSION_HEADER
from vigil_gateway.sessions.session_id import MAX_NAME_CHARS

CONTACT = {"name": "The operator of this gateway"}
LICENSE = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}
SERVERS = [{"url": "/", "description": "The gateway that serves this document"}]
TAGS = {
    "sessions": "Sources that are watched: opened, changed, asked, ended",
    "watches": "Standing instructions that raise alerts",
    "instructions": "Standing instructions",
    "turns": "What was decided in each turn, what the model saw, and what it was asked",
    "memory": "What a session remembers of earlier turns, and recalls of them",
    "tasks": "Delegated questions, and what brains have found and made",
    "speech": "What was said to sessions, and what they are to say aloud",
    "events": "What happens in a session, live",
    "alerts": "Alerts and their pictures",
    "approvals": "What brains ask to be allowed, and who grants it",
    "WHIP": "A camera or a screen that a client publishes by WebRTC",
    "keys": "API keys of your tenant",
    "audit": "Who asked to change what",
    "login": "A cookie in the place of a key, for pages",
    "health": "Whether sessions can be opened",
    "OpenAI-compatible": "One call is one turn, for clients of OpenAI's API",
}
EVENT_STREAM = "text/event-stream"
# What the events of a stream hold, where it is not a session's.
EVENTS = {"/v1/wall": WALL}
_REFERENCE = "#/components/schemas/{model}"
_OPENAI_ERROR = _REFERENCE.format(model="OpenAIError")

Json = dict[str, Any]
_compiled = cache(compile_path)


# The document, once it has been made: that takes half a second, and all applications of a process have the same.
_document: Json = {}


class Application(FastAPI):
    """FastAPI, with its document completed. What differs between applications is not in the document: the console, the
    doors of agents."""

    def setup(self) -> None:
        """The route of the document comes before FastAPI's own, which makes it in the event loop."""
        self.add_route("/openapi.json", self._show_document, include_in_schema=False)
        super().setup()

    def openapi(self) -> Json:
        """The document, made once a process. Never in the event loop: every stream would stand still."""
        if not _document:
            made = super().openapi()
            complete(made)
            _document.update(made)
        return _document

    async def _show_document(self, request: Request) -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(self.openapi))


def complete(document: Json) -> None:
    """Say in the document what holds for every operation: how errors look, that the session's header is needed, and
    which operations need no key."""
    for name, schema in _event_components().items():
        document["components"]["schemas"].setdefault(name, schema)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            operation.setdefault("security", [])
            for status, response in operation["responses"].items():
                if status[0] in "45":
                    _as_problem(response)
                elif EVENT_STREAM in response.get("content", {}):
                    response["content"][EVENT_STREAM]["schema"] = _events_schema(EVENTS.get(path, DATA))
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == SESSION_HEADER:
                    bounds = {"type": "string", "minLength": 1, "maxLength": MAX_NAME_CHARS, "pattern": "^[ -~]*[!-~]$"}
                    parameter |= {"required": True, "schema": bounds, "example": "kitchen"}


def operations(app: FastAPI) -> dict[str, set[str]]:
    """The methods of every path that the document has, read from the routes: that needs no document."""
    found: dict[str, set[str]] = {}
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and context.include_in_schema and context.path_format:
            found.setdefault(context.path_format, set()).update(context.methods or ())
    return found


def methods_at(app: FastAPI, path: str) -> list[str]:
    """The methods that the document has for a path; none for a path that it does not have."""
    fitting = [methods for template, methods in operations(app).items() if _compiled(template)[0].match(path)]
    return sorted({method for methods in fitting for method in methods})


def route_at(app: FastAPI, method: str, path: str) -> tuple[str, dict[str, str]]:
    """The path of the document that a request is led to, and what stands in the place of its names; empty for none."""
    for template, methods in operations(app).items():
        found = _compiled(template)[0].match(path)
        if found is not None and method in methods:
            return template, found.groupdict()
    return "", {}


def _as_problem(response: Json) -> None:
    """FastAPI documents every body as `application/json`; an error is that only in OpenAI's shape."""
    content = response.get("content", {})
    for media_type, told in list(content.items()):
        if told.get("schema") != {"$ref": _OPENAI_ERROR}:
            content[MEDIA_TYPE] = content.pop(media_type)


def _events_schema(told: Mapping[tuple[str, ...], type[BaseModel]]) -> Json:
    """One event of the stream, as its fields: `data` is a text that holds JSON."""
    return {"oneOf": [_event_schema(names, data.__name__) for names, data in told.items()]}


def _event_schema(names: Sequence[str], data: str) -> Json:
    holds = {"contentMediaType": "application/json", "contentSchema": {"$ref": _REFERENCE.format(model=data)}}
    properties = {"event": {"enum": list(names)}, "id": {"type": "string"}, "data": {"type": "string", **holds}}
    return {"type": "object", "required": ["event", "data"], "properties": properties}


def _event_components() -> Json:
    """The schemas of what events hold, which no other answer has."""
    told = (*DATA.values(), *WALL.values())
    keys: list[tuple[type[BaseModel], JsonSchemaMode]] = [(data, "serialization") for data in dict.fromkeys(told)]
    schemas: Json = models_json_schema(keys, ref_template=_REFERENCE)[1]["$defs"]
    return schemas
