"""Calls of the OpenAI-compatible door, and how it refuses them."""

import base64
from typing import Any

import aiohttp

from vigil.testing.images import jpeg

CHAT, MODELS, RESET = "/v1/chat/completions", "/v1/models", "/v1/streaming/reset"
PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(jpeg()).decode()}"}}


def turn(*parts: dict[str, Any], model: str = "vigil-small") -> dict[str, Any]:
    """A call with these parts of a message; without any, with one picture."""
    return {"model": model, "messages": [{"role": "user", "content": list(parts or (PICTURE,))}]}


async def refused(
    client: aiohttp.ClientSession, status: int, code: str, method: str = "POST", path: str = CHAT, **request: Any
) -> str:
    """Send the request, check that it is refused as `code`, return the message."""
    async with client.request(method, path, **request) as answer:
        assert answer.content_type == "application/json"
        error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (status, code), error
    assert error["param"] is None
    assert error["type"]
    return str(error["message"])
