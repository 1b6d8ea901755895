"""Wait for a condition with a deadline, instead of sleeping and hoping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")

# For whatever a test waits for: a test that passes is done long before, even on a machine that is busy with other work.
DEADLINE_S = 60.0
_POLL_S = 0.02
# More of a pause than this does not count: the whole machine stood still, what is waited for with it.
_LONGEST_PAUSE_S = 2.0


@overload
async def eventually(condition: Callable[[], Awaitable[T]], deadline_s: float = ..., what: str = ...) -> T: ...
@overload
async def eventually(condition: Callable[[], T], deadline_s: float = ..., what: str = ...) -> T: ...
async def eventually(condition: Callable[[], object], deadline_s: float = DEADLINE_S, what: str = "") -> object:
    """Call `condition` (which may be a coroutine function) until it returns something true, and return that.

    Raises `AssertionError` naming `what` when `deadline_s` has passed. Exceptions of `condition` are raised at once.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s
    while True:
        value = condition()
        result = await value if inspect.isawaitable(value) else value
        if result:
            return result
        if loop.time() >= end:
            raise AssertionError(f"not within {deadline_s:g} s: {what or condition} (last: {result!r})")
        paused = loop.time()
        await asyncio.sleep(_POLL_S)
        end += max(0.0, loop.time() - paused - _LONGEST_PAUSE_S)
