"""How many live event streams each tenant has open, and the bound on that."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from vigil_gateway import metrics
from vigil_gateway.api.errors import TooManyStreams
from vigil_gateway.replicas import Replicas

QUOTA = "streams"


class StreamSlots:
    """At most `limit` streams a tenant, over all replicas: what the others have open is known to a second."""

    def __init__(self, limit: int, replicas: Replicas) -> None:
        self._limit = limit
        self._replicas = replicas
        self._open: Counter[str] = Counter()

    def open(self) -> Mapping[str, float]:
        """The streams of each tenant at this replica."""
        return self._open

    @contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Hold one slot for as long as the block runs, or raise `TooManyStreams`."""
        if self._open[tenant] + self._replicas.used(QUOTA, tenant) >= self._limit:
            raise TooManyStreams(self._limit)
        self._open[tenant] += 1
        metrics.STREAMS.inc()
        try:
            yield
        finally:
            metrics.STREAMS.dec()
            self._open[tenant] -= 1
            if not self._open[tenant]:
                del self._open[tenant]
