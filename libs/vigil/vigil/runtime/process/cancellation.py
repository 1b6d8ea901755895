"""Cancellation is how everything here stops, so it must not get lost in a library's wait.

Python 3.11's `asyncio.wait_for`, which nats-py and redis-py use, returns the result and forgets the cancellation when
both come in the same turn of the event loop.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Be cancelled when the task was cancelled inside the block, also where a wait in it forgot that."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before:
        raise asyncio.CancelledError


async def first_to_end(*work: Coroutine[Any, Any, None]) -> None:
    """Run all of `work` until the first of it ends, then stop the rest and wait for it; raises what the first raised.

    Unlike Python 3.11's task group it leaves no cancellation counted in the task that called it.
    """
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
