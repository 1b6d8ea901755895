"""Prints the OpenAPI document: `python -m vigil_gateway.http.openapi > services/gateway/openapi.json`."""

import json
import sys

from vigil_gateway.http.app import routes


def document() -> str:
    """The document as committed in `openapi.json`."""
    return json.dumps(routes().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
