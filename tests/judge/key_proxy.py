"""A proxy that adds an API key, for foreign judges of agents send none. It may change what is sent, on its way."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from vigil.testing.ports import free_port

Change = Callable[[dict[str, Any]], dict[str, Any]]
_OF_ONE_HOP = frozenset({"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"})


@asynccontextmanager
async def key_proxy(url: str, key: str, change: Change = lambda body: body) -> AsyncIterator[str]:
    """Serve `url` to clients without a key, for as long as the block runs; yields where."""

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _OF_ONE_HOP}
        headers["Authorization"] = f"Bearer {key}"
        body = _changed(await request.read(), change)
        asked = http.request(request.method, url + request.path_qs, headers=headers, data=body, allow_redirects=False)
        async with asked as found:
            kept = {name: value for name, value in found.headers.items() if name.lower() not in _OF_ONE_HOP}
            response = web.StreamResponse(status=found.status, headers=kept)
            await response.prepare(request)
            async for part in found.content.iter_any():
                await response.write(part)
            return response

    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", answer)
    runner, port = web.AppRunner(app), free_port()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), auto_decompress=False) as http:
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://127.0.0.1:{port}"
        finally:
            await runner.cleanup()


def _changed(body: bytes, change: Change) -> bytes:
    try:
        found = json.loads(body)
    except ValueError:
        return body
    return json.dumps(change(found)).encode() if isinstance(found, dict) else body
