"""A plain HTTP proxy that gives each request to the next of its targets, as a load balancer before replicas does."""

import io
import itertools
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

_OWN_HEADERS = {"connection", "content-length", "host", "transfer-encoding"}  # each hop has its own
_MAX_BODY_BYTES = 64 * 1024 * 1024


class RoundRobin:
    """Base URLs in turn, request by request; a target that cannot be reached is a 502. `served` counts the answers of
    each target."""

    def __init__(self, *targets: str) -> None:
        self.served: Counter[str] = Counter()
        self.url = ""
        self._next = itertools.cycle(targets)
        self._http: aiohttp.ClientSession

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["RoundRobin"]:
        """Serve on a free port for as long as the block runs."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(auto_decompress=False, timeout=timeout) as self._http:
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            try:
                yield self
            finally:
                await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        target, body = next(self._next), io.BytesIO(await request.read())
        headers = {name: text for name, text in request.headers.items() if name.lower() not in _OWN_HEADERS}
        try:
            async with self._http.request(
                request.method, target + request.path_qs, headers=headers, data=body, allow_redirects=False
            ) as answer:
                self.served[target] += 1
                return await _passed_back(request, answer)
        except aiohttp.ClientConnectionError as error:
            return web.Response(status=502, text=f"{target}: {error}")


async def _passed_back(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Stream the answer to the client as it comes."""
    headers = [(name, text) for name, text in answer.headers.items() if name.lower() not in _OWN_HEADERS]
    response = web.StreamResponse(status=answer.status, headers=headers)
    await response.prepare(request)
    async for part in answer.content.iter_any():
        await response.write(part)
    await response.write_eof()
    return response
