"""A store on a Redis server of each test's own."""

import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil.runtime.store.sessions import SessionStore

KEY = SessionKey("demo", "s-1")


@pytest.fixture
def store(redis: Redis) -> SessionStore:
    """A store without sessions."""
    return SessionStore(redis)


@pytest.fixture
def spec() -> SessionSpec:
    """A session that is not there yet."""
    return SessionSpec(
        tenant=KEY.tenant,
        session=KEY.session,
        source=Source("lobby", SourceKind.RTSP, "rtsp://camera/1"),
        profile="vigil-small",
        model="vigil-small",
    )
