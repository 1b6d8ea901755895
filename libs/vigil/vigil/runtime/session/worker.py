"""How a worker that claims sessions is put together: its connections, its readiness, its claimer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.claimer import Claimer, Offers, Relieved, Run
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.process.config import WorkerSettings
from vigil.runtime.process.tls import trusted_by
from vigil.runtime.process.worker import Worker
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore

W = TypeVar("W", bound=WorkerSettings)


@asynccontextmanager
async def open_ports(worker: Worker[W]) -> AsyncIterator[WorkerPorts]:
    """Connections for as long as the block runs; readiness asks both. NATS and Redis may come later than this."""
    settings = worker.settings
    tls = trusted_by(settings.ca_file)
    name = f"vigil-{worker.name} {settings.worker}"
    config = BusConfig(settings.nats_url, name, settings.stream_replicas, updates_streams=False, tls=tls)
    async with (
        open_redis(settings.redis_url, tls) as redis,
        Bus.connect(config) as bus,
    ):
        ports = WorkerPorts(SessionStore(redis), bus, Placement(redis))
        worker.health.register("nats", bus.ping)
        worker.health.register("redis", ports.store.ping)
        yield ports


def claim_sessions(
    worker: Worker[W],
    ports: WorkerPorts,
    role: Role,
    run: Run,
    *,
    offer: Offers | None = None,
    relieved: Relieved | None = None,
) -> None:
    """Claim sessions of `role` and `run` each of them, from now until the process drains. See `Claimer`.

    Without `relieved` a `run` says that it listens by `Placement.take_up`: before that no draining worker lets go.
    """

    async def is_taken_up(claim: Claim) -> bool:
        return await ports.placement.is_taken_up(role, claim)

    claimer = Claimer(
        ports.placement,
        ports.bus,
        role=role,
        worker=worker.settings.worker,
        capacity=worker.settings.capacity,
        run=run,
        offer=offer,
        relieved=relieved or is_taken_up,
    )
    worker.spawn("claims", claimer.run())
