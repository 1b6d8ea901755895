import json
from pathlib import Path

from vigil_gateway.http.app import routes
from vigil_gateway.http.openapi import document

COMMITTED = Path(__file__).parent.parent / "openapi.json"


def test_the_committed_document_is_current() -> None:
    assert COMMITTED.read_text() == document(), (
        "run: python -m vigil_gateway.http.openapi > services/gateway/openapi.json"
    )


def test_every_operation_says_what_it_does() -> None:
    for path, operations in json.loads(document())["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} has no description"
            assert {"4XX", "5XX"} <= set(operation["responses"]), f"{method} {path} hides its errors"


def test_every_path_but_health_asks_for_a_key() -> None:
    open_paths = [
        path
        for path, operations in routes().openapi()["paths"].items()
        if not all("security" in operation for operation in operations.values())
    ]
    assert open_paths == ["/v1/health"]
