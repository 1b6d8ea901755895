"""How many requests each API key may make, at this replica."""

import time
from collections.abc import Callable

from vigil.contract.api_keys import ApiKey
from vigil_gateway import metrics
from vigil_gateway.api.errors import TooManyRequests
from vigil_gateway.api.pace import Pace

BURST_S = 2.0  # so many seconds' requests may come at once


class RequestRate:
    """At most `per_s` requests a second of one key over some time, in this process.

    Each replica counts its own: the bound protects a process, and costs no request a round trip to Redis. Behind N
    replicas a key may make N times as many requests.
    """

    def __init__(self, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._pace = Pace(per_s, BURST_S)
        self._clock = clock

    def count(self, key: ApiKey, door: str) -> None:
        """Count one request of the key. Raises `TooManyRequests`; `door` says in the metric where it came."""
        wait_s = self._pace.take(key.sha256, self._clock())
        if wait_s:
            metrics.REQUESTS_LIMITED.labels(door).inc()
            raise TooManyRequests(self._per_s, wait_s)
