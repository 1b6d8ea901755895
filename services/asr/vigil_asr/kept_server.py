"""A child server that is kept running: it starts with the service, ends with it, and is started again when it died."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.runtime.process.child_server import ChildServer, ChildServerFailed, start_child_server
from vigil.runtime.process.logs import get_log
from vigil_asr import metrics

START_S = 60.0
RESTART_S = 1.0  # after a server that died

log = get_log()


class KeptServer:
    """`name` is what logs and metrics call it."""

    def __init__(self, name: str, command: tuple[str, ...]) -> None:
        self._name = name
        self._command = command
        self._ready = asyncio.Event()
        self._server: ChildServer | None = None

    @property
    def server(self) -> ChildServer | None:
        """The server that runs now; None while it starts."""
        return self._server

    async def ready(self) -> ChildServer:
        """Wait until it runs."""
        while self._server is None:
            await self._ready.wait()
        return self._server

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep it running for as long as the block runs."""
        task = asyncio.create_task(self.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> None:
        """Keep it running until this is cancelled."""
        while True:
            try:
                metrics.ENGINE_STARTS.labels(self._name).inc()
                server = await start_child_server(self._command, START_S)
            except ChildServerFailed as error:
                log.error(
                    "embedded engine not started", name=self._name, reason=str(error), hint="run make speech again"
                )
            else:
                await self._serve(server)
            await asyncio.sleep(RESTART_S)

    async def _serve(self, server: ChildServer) -> None:
        self._server = server
        self._ready.set()
        log.info("embedded engine started", name=self._name, pid=server.process.pid)
        try:
            status = await server.wait()
            log.warning("embedded engine ended", name=self._name, status=status)
        finally:
            self._server = None
            self._ready.clear()
            await server.end()
