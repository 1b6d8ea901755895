"""A limit of time that a busy machine does not break."""

import time
from collections.abc import Awaitable, Callable

_ATTEMPTS = 5


async def once_within(limit_s: float, attempt: Callable[[int], Awaitable[object]]) -> None:
    """Run `attempt(0)`, `attempt(1)` and so on until one takes less than `limit_s` seconds.

    Work beside a test makes some attempts slow; a wait that should not be there makes all of them slow. Raises
    `AssertionError` with the times when five attempts took too long.
    """
    took_s: list[float] = []
    for number in range(_ATTEMPTS):
        began_s = time.monotonic()
        await attempt(number)
        took_s.append(time.monotonic() - began_s)
        if took_s[-1] < limit_s:
            return
    raise AssertionError(f"no attempt took less than {limit_s:g} s: {', '.join(f'{took:.2f}' for took in took_s)}")
