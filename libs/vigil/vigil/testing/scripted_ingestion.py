"""An ingestion worker's gRPC server that answers probes from a script."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health, health_pb2_grpc

from vigil.v1.ingestion_pb2 import ProbeSourceRequest, ProbeSourceResponse
from vigil.v1.ingestion_pb2_grpc import IngestionServiceServicer, add_IngestionServiceServicer_to_server

GOOD = ProbeSourceResponse(width=640, height=480, frames_per_second=25.0, codec="h264")


class ScriptedIngestion(IngestionServiceServicer):
    """Answers `answer` to every probe; holds it back for as long as `open_gate` is unset."""

    def __init__(self) -> None:
        self.answer = GOOD
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self.probed: list[str] = []
        self.port = 0
        self._server: grpc.aio.Server | None = None

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def ProbeSource(  # noqa: N802  the name is the contract's
        self, request: ProbeSourceRequest, context: grpc.aio.ServicerContext[ProbeSourceRequest, ProbeSourceResponse]
    ) -> ProbeSourceResponse:
        self.probed.append(request.url)
        await self.open_gate.wait()
        return self.answer

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["ScriptedIngestion"]:
        """Serve for as long as the block runs, or until it is stopped: on a free port, then again there."""
        self._server = grpc.aio.server()
        add_IngestionServiceServicer_to_server(self, self._server)
        servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # the stubs lack `aio`
        health_pb2_grpc.add_HealthServicer_to_server(servicer, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()
        try:
            yield self
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Be gone, as a worker that died. Idempotent."""
        self.open_gate.set()
        server, self._server = self._server, None
        if server is not None:
            await server.stop(None)
