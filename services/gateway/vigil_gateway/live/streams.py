"""How many live streams of each kind every tenant has open, and the bound on that."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from prometheus_client import Gauge

from vigil_gateway import metrics
from vigil_gateway.api.errors import GatewayError, TooManyPreviews, TooManyStreams
from vigil_gateway.replicas import Replicas

QUOTA = "streams"
PREVIEWS = "previews"


class StreamSlots:
    """At most `limit` streams of one kind a tenant, over all replicas: what others have open is known to a second."""

    def __init__(
        self,
        limit: int,
        replicas: Replicas,
        quota: str = QUOTA,
        gauge: Gauge = metrics.STREAMS,
        refusal: Callable[[int], GatewayError] = TooManyStreams,
    ) -> None:
        self._limit = limit
        self._replicas = replicas
        self._quota = quota
        self._gauge = gauge
        self._refusal = refusal
        self._open: Counter[str] = Counter()

    @classmethod
    def of_previews(cls, limit: int, replicas: Replicas) -> "StreamSlots":
        """For the smooth pictures of sessions."""
        return cls(limit, replicas, PREVIEWS, metrics.PREVIEWS, TooManyPreviews)

    def open(self) -> Mapping[str, float]:
        """The streams of each tenant at this replica."""
        return self._open

    @contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Hold one slot for as long as the block runs, or raise `TooManyStreams`, `TooManyPreviews`."""
        if self._open[tenant] + self._replicas.used(self._quota, tenant) >= self._limit:
            raise self._refusal(self._limit)
        self._open[tenant] += 1
        self._gauge.inc()
        try:
            yield
        finally:
            self._gauge.dec()
            self._open[tenant] -= 1
            if not self._open[tenant]:
                del self._open[tenant]
