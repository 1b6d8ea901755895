"""Wires the memory service: connections, the summariser, the worker, gRPC."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.process.tls import trusted_by
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.v1.memory_pb2_grpc import add_MemoryServiceServicer_to_server
from vigil_memory.config import MemorySettings
from vigil_memory.endings import hear
from vigil_memory.memory_service import NAME, MemoryService
from vigil_memory.memory_worker import MemoryWorker
from vigil_memory.ports import Ports
from vigil_memory.recall.answering import answer_recalls
from vigil_memory.recall.opened import open_semantics
from vigil_memory.recall.recaller import ArchiveRecaller
from vigil_memory.summarisers.kinds import open_summariser


@asynccontextmanager
async def build(worker: Worker[MemorySettings]) -> AsyncIterator[None]:
    """Write blocks of memory, and recall. NATS and Redis may start later than this process; a summariser that is down
    does not change its readiness."""
    async with AsyncExitStack() as stack:
        ports = await _ports(worker, stack)
        semantics = await stack.enter_async_context(open_semantics(worker.settings))
        blocks = MemoryWorker(ports, worker.settings.limits, semantics.learn if semantics else None)
        worker.health.register("nats", ports.bus.ping)
        worker.health.register("redis", ports.sessions.ping)
        recaller = ArchiveRecaller(ports.sessions, worker.settings.time_zone, semantics=semantics)
        servicer = MemoryService(ports, recaller)
        worker.serve(NAME, lambda server: add_MemoryServiceServicer_to_server(servicer, server))
        await ports.bus.connected()
        worker.spawn("blocks", blocks.run())
        worker.spawn("recalls", answer_recalls(ports.bus, recaller))
        if semantics is not None:
            worker.spawn("endings", hear(ports.bus, semantics.forget))
        yield


async def _ports(worker: Worker[MemorySettings], stack: AsyncExitStack) -> Ports:
    settings = worker.settings
    tls = trusted_by(settings.ca_file)
    name = f"vigil-{worker.name} {settings.worker}"
    config = BusConfig(settings.nats_url, name, settings.stream_replicas, updates_streams=False, tls=tls)
    redis = await stack.enter_async_context(open_redis(settings.redis_url, tls))
    bus = await stack.enter_async_context(Bus.connect(config))
    summariser = await stack.enter_async_context(open_summariser(settings))
    return Ports(
        bus,
        SessionStore(redis),
        summariser,
        lease_s=settings.memory_lease_s,
        retries=settings.memory_retries,
        deadline_s=settings.summariser_deadline_s,
    )


def main() -> None:
    """Run the service."""
    run_worker("memory", MemorySettings, build)


if __name__ == "__main__":
    main()
