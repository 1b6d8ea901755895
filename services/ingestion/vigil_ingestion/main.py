"""Wires ingestion: bus, store, claims, gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.v1.ingestion_pb2_grpc import add_IngestionServiceServicer_to_server
from vigil_ingestion.config import IngestionSettings
from vigil_ingestion.probe import NAME, serving
from vigil_ingestion.watcher import HAND_OVER_S, Watcher


@asynccontextmanager
async def build(worker: Worker[IngestionSettings]) -> AsyncIterator[None]:
    """Open the ports and claim sessions; NATS and Redis may start later than this process."""
    settings = worker.settings
    async with (
        open_redis(settings.redis_url) as redis,
        Bus.connect(BusConfig(settings.nats_url, name=f"vigil-ingestion {settings.worker}")) as bus,
    ):
        with serving(settings.file_root, settings.limits) as service:
            store, placement = SessionStore(redis), Placement(redis)
            worker.health.register("nats", bus.ping)
            worker.health.register("redis", store.ping)
            worker.serve(NAME, lambda server: add_IngestionServiceServicer_to_server(service, server))
            watcher = Watcher(bus, store, placement, settings)
            claimer = Claimer(
                placement,
                bus,
                role=Role.INGESTION,
                worker=settings.worker,
                capacity=settings.capacity,
                run=watcher.run,
                relieved=watcher.is_relieved,
                hand_over_s=HAND_OVER_S,
            )
            worker.spawn("claims", claimer.run())
            yield


def main() -> None:
    """Run the service."""
    run_worker("ingestion", IngestionSettings, build)


if __name__ == "__main__":
    main()
