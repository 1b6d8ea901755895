"""Cancellation is how everything here stops, so it must not get lost in a library's wait.

Python 3.11's `asyncio.wait_for`, which nats-py and redis-py use, returns the result and forgets the cancellation when
both come in the same turn of the event loop.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Be cancelled when the task was cancelled inside the block, also where a wait in it forgot that."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
