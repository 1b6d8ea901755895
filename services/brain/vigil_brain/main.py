"""Wires the brain service: connections, brains, the worker, gRPC."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.process.startup import StartupError
from vigil.runtime.process.tls import trusted_by
from vigil.runtime.process.worker import Worker, run_worker
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil.v1.brain_pb2_grpc import add_BrainServiceServicer_to_server
from vigil_brain.brain_service import NAME, BrainService
from vigil_brain.brains.kinds import mistakes, open_brain
from vigil_brain.brains_file import BrainsFileInvalid
from vigil_brain.catalogue import Catalogue
from vigil_brain.config import BrainSettings
from vigil_brain.ports import Ports
from vigil_brain.task_worker import TaskWorker


@asynccontextmanager
async def build(worker: Worker[BrainSettings]) -> AsyncIterator[None]:
    """Work on tasks. NATS and Redis may start later than this process; a brain that is down does not change its
    readiness."""
    async with AsyncExitStack() as stack:
        ports = await _ports(worker, stack)
        tasks = TaskWorker(ports, worker.settings.limits)
        worker.health.register("nats", ports.bus.ping)
        worker.health.register("redis", ports.sessions.ping)
        servicer = BrainService(ports, tasks)
        worker.serve(NAME, lambda server: add_BrainServiceServicer_to_server(servicer, server))
        await ports.bus.connected()
        worker.spawn("tasks", tasks.run())
        worker.spawn("brains file", ports.catalogue.follow())
        yield


async def _ports(worker: Worker[BrainSettings], stack: AsyncExitStack) -> Ports:
    settings = worker.settings
    tls = trusted_by(settings.ca_file)
    name = f"vigil-{worker.name} {settings.worker}"
    opening = partial(open_brain, trusted=tls)
    config = BusConfig(settings.nats_url, name, settings.stream_replicas, updates_streams=False, tls=tls)
    redis = await stack.enter_async_context(open_redis(settings.redis_url, tls))
    bus = await stack.enter_async_context(Bus.connect(config))
    try:
        catalogue = await stack.enter_async_context(Catalogue.opened(settings.brains_file, mistakes, opening))
    except BrainsFileInvalid as error:
        raise StartupError("\n".join(f"VIGIL_BRAINS_FILE: {problem}" for problem in error.problems)) from None
    return Ports(
        bus,
        TaskStore(redis),
        SessionStore(redis),
        ApprovalStore(redis),
        catalogue,
        settings.worker,
        lease_s=settings.brain_lease_s,
        retries=settings.brain_retries,
        snapshot_bytes=settings.brain_snapshot_bytes,
        approval_timeout_s=settings.approval_timeout_s,
    )


def main() -> None:
    """Run the service."""
    run_worker("brain", BrainSettings, build)


if __name__ == "__main__":
    main()
