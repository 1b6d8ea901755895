"""The frame around a worker's run of one session that it has claimed."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from vigil.core.ids import SessionKey
from vigil.core.source import Role
from vigil.runtime.errors import StoreCorrupt, StoreNewer, UnknownSession
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.ports import SessionPorts

log = get_log()


@asynccontextmanager
async def until_over(ports: SessionPorts, key: SessionKey, roles: Sequence[Role]) -> AsyncIterator[None]:
    """Work on the session inside the block, which begins once NATS can be reached and is left when the session is
    over: then the session is closed for `roles`, and nobody claims it for them again.

    That the store has forgotten the session (`UnknownSession`) is an end like any other. So is the end of a session
    whose stored state cannot be read (`StoreCorrupt`): nothing more can be done for it, except by a worker of the newer
    release that wrote it (`StoreNewer`). Any other error, and cancellation, leaves the session open: the claimer runs
    it again, or another worker does.
    """
    await ports.bus.connected()
    try:
        yield
    except UnknownSession:
        log.warning("session forgotten", reason="the store does not know it any more")
    except StoreNewer:
        raise
    except StoreCorrupt as error:
        if await ports.store.ended(key) is None:
            raise
        log.error("session closed unfinished", reason="its stored state cannot be read", error=str(error))
    await ports.placement.close(key, roles)
