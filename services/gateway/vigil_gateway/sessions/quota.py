"""How many sessions each tenant has open, and the bound on that: one tenant cannot take every worker's place."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vigil.runtime.store.sessions import SessionStore
from vigil_gateway.api.errors import TooManySessions


class SessionQuota:
    """At most `limit` open sessions a tenant, over all replicas: they are counted in the store.

    A replica opens one session of a tenant at a time, so its own calls never go over the limit. Calls to different
    replicas at the same moment may, by one session a replica.
    """

    def __init__(self, store: SessionStore, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, tenant: str) -> None:
        """Raise `TooManySessions` when the tenant may open no session now."""
        if await self._store.open_sessions(tenant) >= self._limit:
            raise TooManySessions(self._limit)

    @asynccontextmanager
    async def place(self, tenant: str) -> AsyncIterator[None]:
        """Open one session in the block, or raise `TooManySessions`."""
        async with self._opening[tenant]:
            await self.check(tenant)
            yield
