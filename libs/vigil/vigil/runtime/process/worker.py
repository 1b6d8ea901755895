"""A worker: the life of a service (`process.service`) with an HTTP and a gRPC endpoint around it.

    @asynccontextmanager
    async def build(worker: Worker[CodecSettings]) -> AsyncIterator[None]:
        async with Bus.connect(...) as bus:
            worker.health.register("nats", bus.ping)
            worker.serve("vigil.v1.CodecService", lambda server: add_CodecServiceServicer_to_server(Codec(), server))
            worker.spawn("claims", claimer.run())
            yield

    def main() -> None:
        run_worker("codec", CodecSettings, build)

Both ports are held before `build` begins, so a port in use is found at once and `/readyz` answers (not ready) while
`build` waits for its dependencies. gRPC calls are served from the moment that `build` yields.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, NoReturn, TypeVar

from grpc import aio

from vigil.runtime.process.config import EndpointSettings
from vigil.runtime.process.grpc_server import GrpcServer, bound_grpc
from vigil.runtime.process.health import Health
from vigil.runtime.process.http_endpoint import serve_http
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.service import Build, Service, run_service

W = TypeVar("W", bound=EndpointSettings)
D = TypeVar("D", bound=EndpointSettings, covariant=True)

log = get_log()


class Worker(Generic[D]):
    """What a worker's `build` gets."""

    def __init__(self, service: Service[D], grpc_server: GrpcServer) -> None:
        self.name = service.name
        self.settings = service.settings
        self.health: Health = service.health
        self._service = service
        self._grpc = grpc_server
        self._served: list[str] = []

    def spawn(self, name: str, work: Coroutine[object, object, None]) -> None:
        """See `Service.spawn`."""
        self._service.spawn(name, work)

    def serve(self, full_name: str, register: Callable[[aio.Server], None]) -> None:
        """Serve a gRPC service: `register` adds its servicer, `full_name` is for health and reflection."""
        register(self._grpc.server)
        self._served.append(full_name)

    async def start(self) -> None:
        """Begin to answer gRPC calls; the life cycle does this when `build` yields."""
        await self._grpc.start(tuple(self._served))


WorkerBuild = Callable[[Worker[W]], AbstractAsyncContextManager[None]]


def run_worker(name: str, kind: type[W], build: WorkerBuild[W]) -> NoReturn:
    """Live the life of the worker `name`, with settings of `kind`, then exit the process."""
    run_service(name, kind, with_endpoints(build))


def with_endpoints(build: WorkerBuild[W]) -> Build[W]:
    """The same build, between an HTTP and a gRPC endpoint."""

    @asynccontextmanager
    async def built(service: Service[W]) -> AsyncIterator[None]:
        settings = service.settings
        async with (
            serve_http(service.health, settings.host, settings.http_port) as http_port,
            bound_grpc(settings.host, settings.grpc_port) as grpc_server,
        ):
            log.info("ports opened", host=settings.host, http_port=http_port, grpc_port=grpc_server.port)
            worker = Worker(service, grpc_server)
            async with build(worker):
                await worker.start()
                yield
                await grpc_server.drain()

    return built
