"""Bodies of HTTP answers, from a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from vigil.runtime.process.http_bodies import read_bounded
from vigil.testing.eventually import eventually

FIRST, SECOND = b"x" * 1_000, b"y" * 2_000


@asynccontextmanager
async def answering(may_go_on: asyncio.Event) -> AsyncIterator[aiohttp.ClientResponse]:
    """An answer whose second piece comes when it may."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(FIRST)
        await may_go_on.wait()
        await response.write(SECOND)
        return response

    app = web.Application()
    app.add_routes([web.get("/", answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{runner.addresses[0][1]}/") as response,
        ):
            yield response
    finally:
        await runner.cleanup()


async def test_a_body_in_pieces_is_read_whole() -> None:
    may_go_on = asyncio.Event()
    async with answering(may_go_on) as response:
        reading = asyncio.create_task(read_bounded(response, 10_000))
        await eventually(lambda: response.content.total_bytes == len(FIRST), what="the first piece is there")
        may_go_on.set()
        assert await reading == FIRST + SECOND


async def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    async with answering(asyncio.Event()) as response:
        assert await read_bounded(response, 500) == FIRST
