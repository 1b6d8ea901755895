"""How many live event streams each tenant has open, and the bound on that."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from vigil_gateway import metrics
from vigil_gateway.api.errors import TooManyStreams


class StreamSlots:
    """At most `limit` streams a tenant in this process.

    Every replica of the gateway counts its own: the limit protects a process from holding too many open answers, and a
    shared count would be wrong for as long as a replica that died had streams open. Behind N replicas a tenant may have
    N times as many.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[str] = Counter()

    @contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Hold one slot for as long as the block runs, or raise `TooManyStreams`."""
        if self._open[tenant] >= self._limit:
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
