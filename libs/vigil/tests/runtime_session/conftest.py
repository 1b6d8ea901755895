"""An open session on a camera, on real NATS and Redis."""

import pytest
from redis.asyncio import Redis

from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.session.ports import WorkerPorts
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.opened_session import Opened
from vigil.testing.servers import NatsServer


@pytest.fixture
async def opened(bus: Bus, redis: Redis, nats_server: NatsServer) -> Opened:
    """The session, as the gateway opens one."""
    spec = SessionSpec("demo", "s-1", Source("cam", SourceKind.RTSP, "rtsp://camera"), "vigil-small", "m", created_us=7)
    ports = WorkerPorts(SessionStore(redis), bus, Placement(redis, lease_s=3_600))
    await ports.store.create(spec)
    await ports.placement.open(spec.key, spec.roles)
    return Opened(ports, spec, redis, nats_server.url)
