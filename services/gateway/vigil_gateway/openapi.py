"""Prints the OpenAPI document: `python -m vigil_gateway.openapi > services/gateway/openapi.json`."""

import json
import sys

from vigil_gateway.app import routes


def document() -> str:
    """The document as committed in `openapi.json`."""
    return json.dumps(routes().openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
