"""Wires the memory service: connections, summariser, the worker, gRPC."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.process.tls import trusted_by
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil_memory.config import MemorySettings


@asynccontextmanager
async def build(worker: Worker[MemorySettings]) -> AsyncIterator[None]:
    """Work on requests. NATS and Redis may start later than this process."""
    settings = worker.settings
    tls = trusted_by(settings.ca_file)
    name = f"vigil-{worker.name} {settings.worker}"
    config = BusConfig(settings.nats_url, name, settings.stream_replicas, updates_streams=False, tls=tls)
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(open_redis(settings.redis_url, tls))
        bus = await stack.enter_async_context(Bus.connect(config))
        worker.health.register("nats", bus.ping)
        worker.health.register("redis", SessionStore(redis).ping)
        await bus.connected()
        yield


def main() -> None:
    """Run the service."""
    run_worker("memory", MemorySettings, build)


if __name__ == "__main__":
    main()
