"""How many pictures each tenant has pushed and waits for, and the bounds on that."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from vigil_gateway.api.errors import TooManyPushes
from vigil_gateway.api.pace import Pace
from vigil_gateway.replicas import Replicas

IN_FLIGHT, PER_S = "pushes_in_flight", "pushes_per_s"
BURST_S = 2.0  # so many seconds' pushes may come at once


class PushQuota:
    """At most `in_flight` pushes of a tenant at once and `per_s` a second over some time, over all replicas: what the
    others do is known to a second.

    Of `per_s` a replica gives what the others did not use, and at least its equal part: replicas that all are busy
    share it evenly.
    """

    def __init__(
        self, in_flight: int, per_s: float, replicas: Replicas, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._in_flight = in_flight
        self._per_s = per_s
        self._replicas = replicas
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._pace = Pace(per_s, BURST_S)
        self._pushed: Counter[str] = Counter()
        self._counted_since = clock()

    def open(self) -> Mapping[str, float]:
        """The pushes of each tenant that wait for an answer at this replica."""
        return self._open

    def rates(self) -> Mapping[str, float]:
        """Pushes a second of each tenant at this replica, since this was asked last."""
        now_s = self._clock()
        seconds = max(now_s - self._counted_since, 1e-3)
        rates = {tenant: count / seconds for tenant, count in self._pushed.items()}
        self._pushed.clear()
        self._counted_since = now_s
        return rates

    @contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Hold one place for as long as the block runs, or raise `TooManyPushes`."""
        if self._open[tenant] + self._replicas.used(IN_FLIGHT, tenant) >= self._in_flight:
            raise TooManyPushes(f"this tenant waits for {self._in_flight} pushed pictures, as many as it may at once")
        if self._pace.take(tenant, self._clock(), self._part(tenant)):
            raise TooManyPushes(f"this tenant pushes more than {self._per_s:g} pictures a second, as many as it may")
        self._pushed[tenant] += 1
        self._open[tenant] += 1
        try:
            yield
        finally:
            self._open[tenant] -= 1
            if not self._open[tenant]:
                del self._open[tenant]

    def _part(self, tenant: str) -> float:
        """The part of the tenant's pushes a second that is this replica's to give."""
        return max(1.0 - self._replicas.used(PER_S, tenant) / self._per_s, 1.0 / self._replicas.count)
