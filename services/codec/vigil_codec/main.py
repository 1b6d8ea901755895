"""Wires the codec: bus, store, claims, gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.v1.codec_pb2_grpc import add_CodecServiceServicer_to_server
from vigil_codec.codec_service import NAME, CodecService
from vigil_codec.coder import Coder
from vigil_codec.config import CodecSettings


@asynccontextmanager
async def build(worker: Worker[CodecSettings]) -> AsyncIterator[None]:
    """Open the ports and claim sessions; NATS and Redis may come later than this process."""
    settings = worker.settings
    async with (
        open_redis(settings.redis_url) as redis,
        Bus.connect(BusConfig(settings.nats_url, name=f"vigil-codec {settings.worker}")) as bus,
    ):
        store, placement = SessionStore(redis), Placement(redis)
        worker.health.register("nats", bus.ping)
        worker.health.register("redis", store.ping)
        worker.serve(NAME, lambda server: add_CodecServiceServicer_to_server(CodecService(), server))
        claimer = Claimer(
            placement,
            bus,
            role=Role.CODEC,
            worker=settings.worker,
            capacity=settings.capacity,
            run=Coder(bus, store, placement).run,
        )
        worker.spawn("claims", claimer.run())
        yield


def main() -> None:
    """Run the service."""
    run_worker("codec", CodecSettings, build)


if __name__ == "__main__":
    main()
