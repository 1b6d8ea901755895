"""How many pictures each tenant has pushed and waits for, and the bounds on that."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vigil_gateway.api.errors import TooManyPushes
from vigil_gateway.api.pace import Pace

BURST_S = 2.0  # so many seconds' pushes may come at once


class PushQuota:
    """At most `in_flight` pushes of a tenant at once and `per_s` a second over some time, in this process.

    Every replica of the gateway counts its own, as it does live streams: the bounds protect a process. Behind N
    replicas a tenant may push N times as much.
    """

    def __init__(self, in_flight: int, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._in_flight = in_flight
        self._per_s = per_s
        self._clock = clock
        self._open: Counter[str] = Counter()
        self._pace = Pace(per_s, BURST_S)

    @contextmanager
    def slot(self, tenant: str) -> Iterator[None]:
        """Hold one place for as long as the block runs, or raise `TooManyPushes`."""
        if self._open[tenant] >= self._in_flight:
            raise TooManyPushes(f"this tenant waits for {self._in_flight} pushed pictures, as many as it may at once")
        if self._pace.take(tenant, self._clock()):
            raise TooManyPushes(f"this tenant pushes more than {self._per_s:g} pictures a second, as many as it may")
        self._open[tenant] += 1
        try:
            yield
        finally:
            self._open[tenant] -= 1
            if not self._open[tenant]:
                del self._open[tenant]
