"""Summarisers that are slow or fail, behind the HTTP of an external memory service."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

SLOW_S = 30.0
TRY_S = 5.0  # what one try of a failing summariser may take
_TEXT = "A room without people. Nothing has changed in it. "
_MAX_BODY_BYTES = 64 * 1024 * 1024


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(SLOW_S)
    return web.json_response({"text": _TEXT * 4})


def _failing(turn: int) -> web.Response | None:
    """The answers in turn: an error, garbage, no words; None for none at all."""
    answers = (
        web.Response(status=500, text="broken"),
        web.Response(body=b"\x00\xffgarbage", content_type="application/json"),
        web.json_response({"text": ""}),
        None,
    )
    return answers[turn % len(answers)]


@asynccontextmanager
async def summariser(*, fails: bool) -> AsyncIterator[str]:
    """The address of one that answers after `SLOW_S`, or `fails` in a different way each time."""
    turns = itertools.count()

    async def failing(_: web.Request) -> web.Response:
        answer = _failing(next(turns))
        if answer is None:
            await asyncio.sleep(10 * TRY_S)
            raise web.HTTPServiceUnavailable
        return answer

    app = web.Application(client_max_size=_MAX_BODY_BYTES)
    app.router.add_post("/", failing if fails else _slow)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
