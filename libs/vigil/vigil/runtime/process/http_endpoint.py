"""The HTTP endpoint of a service for its operator: `/metrics`, `/healthz` and `/readyz`."""

import errno
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiohttp import web

from vigil.runtime.process import metrics
from vigil.runtime.process.health import Health
from vigil.runtime.process.startup import PortInUse

_SHUTDOWN_S = 1.0


@asynccontextmanager
async def serve_http(
    health: Health, host: str, port: int, more: Iterable[web.RouteDef] = (), endpoint: str = "HTTP"
) -> AsyncIterator[int]:
    """Serve while the block runs, with `more` routes of the service's own; yields the port. A `port` of 0 takes a free
    port. `endpoint` is what the setting of the port calls it.

    `/healthz` says that the process runs, whatever its dependencies do. `/readyz` is 503 while the process should get
    no work. Raises `PortInUse`.
    """
    app = web.Application()
    app.add_routes(
        [web.get("/metrics", _metrics), web.get("/healthz", _alive), web.get("/readyz", _Readyz(health).answer), *more]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise PortInUse(endpoint, host, port, errno.errorcode.get(error.errno or 0, str(error))) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _metrics(_: web.Request) -> web.Response:
    return web.Response(body=metrics.render(), headers={"Content-Type": metrics.CONTENT_TYPE})


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"alive": True})


class _Readyz:
    def __init__(self, health: Health) -> None:
        self._health = health

    async def answer(self, _: web.Request) -> web.Response:
        readiness = await self._health.check()
        return web.json_response(readiness.as_json(), status=200 if readiness.ready else 503)
