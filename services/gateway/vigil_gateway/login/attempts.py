"""How often an address may try to log in, at this replica."""

import time
from collections.abc import Callable

from vigil_gateway import metrics
from vigil_gateway.api.errors import TooManyLogins
from vigil_gateway.api.pace import Pace
from vigil_gateway.http.client_limit import site_of

MAX_ADDRESSES = 4_096
_MINUTE_S = 60.0
_ALL_OTHERS = "others"


class LoginAttempts:
    """At most `per_minute` attempts of one address in a minute, good ones too.

    Addresses beyond `MAX_ADDRESSES` share one bound, so that nobody fills the memory with addresses.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._pace = Pace(per_minute / _MINUTE_S, _MINUTE_S)
        self._clock = clock

    def count(self, host: str) -> None:
        """Count one attempt of the address. Raises `TooManyLogins`."""
        site = site_of(host)
        is_known = site in self._pace or len(self._pace) < MAX_ADDRESSES
        wait_s = self._pace.take(site if is_known else _ALL_OTHERS, self._clock())
        if wait_s:
            metrics.LOGINS.labels("limited").inc()
            raise TooManyLogins(self._per_minute, wait_s)
