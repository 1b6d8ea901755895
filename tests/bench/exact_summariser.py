"""A memory service of somebody else whose blocks are exact: it knows what its sessions watch."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from bench.film import Shown
from vigil.core.memory import MemoryRequest

_MAX_BODY_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def exact_summariser(films: Mapping[str, Shown]) -> AsyncIterator[str]:
    """Its address. `films` are by session."""

    async def write(request: web.Request) -> web.Response:
        asked = request_of(await request.json())
        return web.json_response({"text": films[asked.session].summary(asked)})

    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.router.add_post("/", write)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def request_of(body: Mapping[str, object]) -> MemoryRequest:
    """What an external memory service is asked. Raises `msgspec.ValidationError`."""
    return msgspec.convert({"model": "", **body}, MemoryRequest)
