import json
import subprocess
import sys
from pathlib import Path

import aiohttp

from vigil_gateway.http import contract
from vigil_gateway.http.app import routes
from vigil_gateway.http.openapi import document
from vigil_gateway.live.feed import EventKind

WITHOUT_DOCUMENT = """
from vigil_gateway.http import app, contract

made = app.routes()
led = contract.route_at(made, "POST", "/v1/sessions/door/say")
print(led, contract.methods_at(made, "/v1/sessions"), contract._document)
"""
COMMITTED = Path(__file__).parent.parent / "openapi.json"


def test_the_committed_document_is_current() -> None:
    assert COMMITTED.read_text() == document(), (
        "run: python -m vigil_gateway.http.openapi > services/gateway/openapi.json"
    )


async def test_a_gateway_shows_it(nobody: aiohttp.ClientSession) -> None:
    async with nobody.get("/openapi.json") as answer:
        assert (answer.status, await answer.json()) == (200, json.loads(COMMITTED.read_text()))


def test_applications_of_a_process_share_what_was_read_of_their_routes() -> None:
    first, second = routes(), routes()
    assert first.openapi() is second.openapi()
    shared = [route for route in first.router.routes if any(route is other for other in second.router.routes)]
    assert len(shared) >= 20, "routes are read once a module, not once an application"
    first.router.routes.clear()
    assert shared[0] in second.router.routes, "the list of routes is an application's own"


def test_the_operations_are_those_of_the_document() -> None:
    told = {path: {name.upper() for name in found} for path, found in json.loads(document())["paths"].items()}
    found = contract.operations(routes())
    assert found == told
    assert list(found) == list(told), "a request is led to the first that fits"


def test_a_request_is_led_to_a_route_without_the_document() -> None:
    """Making it held the event loop for seconds on a busy machine, when the first request was refused."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_DOCUMENT], capture_output=True, text=True, check=True)
    assert done.stdout == "('/v1/sessions/{session}/say', {'session': 'door'}) ['GET', 'POST'] {}\n"


def test_nothing_is_where_no_operation_is() -> None:
    assert contract.route_at(routes(), "PATCH", "/v1/nowhere") == ("", {})
    assert contract.route_at(routes(), "PUT", "/v1/sessions") == ("", {})


def test_every_operation_says_what_it_does() -> None:
    for path, operations in json.loads(document())["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} has no description"
            assert {"4XX", "5XX"} <= set(operation["responses"]), f"{method} {path} hides its errors"


def test_every_operation_but_health_and_logging_in_takes_a_key_or_a_login() -> None:
    found = {
        (method, path): operation["security"]
        for path, operations in routes().openapi()["paths"].items()
        for method, operation in operations.items()
    }
    logging_in = {("post", "/v1/login"), ("get", "/v1/login/oidc"), ("get", "/v1/login/oidc/callback")}
    assert {where for where, ways in found.items() if not ways} == {("get", "/v1/health"), *logging_in}
    assert all(ways == [{"ApiKey": []}, {"Login": []}] for ways in found.values() if ways)


DOCUMENT = json.loads(COMMITTED.read_text())
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]


def test_errors_have_the_media_type_that_they_are_sent_with() -> None:
    for name, operation in OPERATIONS:
        openai = "OpenAI-compatible" in operation["tags"]
        for status in ("4XX", "5XX"):
            content = operation["responses"][status]["content"]
            assert list(content) == ["application/json" if openai else "application/problem+json"], name
        assert "422" not in operation["responses"], f"{name} documents FastAPI's own error"


def test_the_header_that_names_the_session_is_needed() -> None:
    headers = [
        parameter
        for _, operation in OPERATIONS
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    ]
    assert {header["name"] for header in headers} >= {"x-session-id"}
    assert all(header["required"] for header in headers if header["name"] == "x-session-id")


def test_live_events_are_typed() -> None:
    stream = DOCUMENT["paths"]["/v1/sessions/{session}/events"]["get"]["responses"]["200"]["content"]
    events = stream["text/event-stream"]["schema"]["oneOf"]
    names = {name for event in events for name in event["properties"]["event"]["enum"]}
    assert names == set(EventKind) - {EventKind.TILE}
    for event in events:
        told = event["properties"]["data"]["contentSchema"]["$ref"].rpartition("/")[2]
        assert DOCUMENT["components"]["schemas"][told]["properties"]


def test_the_events_of_a_wall_are_typed() -> None:
    stream = DOCUMENT["paths"]["/v1/wall"]["get"]["responses"]["200"]["content"]["text/event-stream"]["schema"]
    told = {event["properties"]["data"]["contentSchema"]["$ref"].rpartition("/")[2] for event in stream["oneOf"]}
    assert told == {"WallStatusOut", "TileOut", "CloudEventOut", "EndOut"} <= DOCUMENT["components"]["schemas"].keys()


def test_bounds_of_numbers_are_published() -> None:
    cadence = DOCUMENT["components"]["schemas"]["CadenceGroup"]["properties"]
    assert (cadence["interval_ms"]["minimum"], cadence["interval_ms"]["maximum"]) == (200, 60_000)


def test_the_document_says_where_who_and_under_which_licence() -> None:
    assert DOCUMENT["servers"]
    assert DOCUMENT["info"]["license"]["name"] == "Apache-2.0"
    assert {tag["name"] for tag in DOCUMENT["tags"]} >= {
        tag for _, operation in OPERATIONS for tag in operation["tags"]
    }
    assert list(DOCUMENT["components"]["securitySchemes"]) == ["ApiKey", "Login"]
