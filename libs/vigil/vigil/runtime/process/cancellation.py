"""Tasks that end each other, and cancellation that is never lost: it is how everything here stops.

Python 3.11's `asyncio.wait_for`, which nats-py and redis-py use, returns the result and forgets the cancellation when
both come in the same turn of the event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Be cancelled when the task was cancelled inside the block, also where a wait in it forgot that."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task and task.cancelling() > before:
        raise asyncio.CancelledError


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end also when the caller is cancelled meanwhile; then `CancelledError` is raised, whatever
    came of it. For steps of which none may be left out: do them in bounded time. A caller that is cancelled a second
    time does not wait any longer, and `work` goes on without it."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # it counts as looked at
        raise


async def while_wanted(work: Coroutine[Any, Any, T], undo: Callable[[T], Coroutine[Any, Any, None]]) -> T:
    """What `work` returns. When the caller is cancelled meanwhile, however often, `work` still runs to its end, and
    `undo` is given what it returned: nobody else knows of it."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await to_the_end(_undone(task, undo))
        raise


async def _undone(task: asyncio.Task[T], undo: Callable[[T], Coroutine[Any, Any, None]]) -> None:
    await asyncio.wait({task})
    if not task.cancelled() and task.exception() is None:
        await undo(task.result())


async def first_to_end(*work: Coroutine[Any, Any, T]) -> T:
    """Run all of `work` until the first of it ends; returns its result, or raises what it raised.

    The rest is cancelled, and has stopped when this returns; what it raises while it stops is dropped. When several
    have ended by the time this looks (a turn of the event loop later), an error counts before a result, and then the
    order in which they were given. When the caller is cancelled, all of `work` is, and `CancelledError` is raised once
    all has stopped. Unlike Python 3.11's task group it leaves no cancellation counted in the task that called it.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in tasks if task.done()]
    finally:
        await _stop(tasks)
    failed = [task for task in ended if task.cancelled() or task.exception() is not None]
    return (failed or ended)[0].result()


async def _stop(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel `tasks` and wait until all are done. A caller that is cancelled meanwhile cancels them once more, as it
    would a coroutine that it awaits, and waits on: then it is cancelled."""
    interrupted: asyncio.CancelledError | None = None
    while running := _cancelled(tasks):
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError as error:
            interrupted = error
    await asyncio.gather(*tasks, return_exceptions=True)  # every error counts as looked at
    if interrupted is not None:
        raise interrupted


def _cancelled(tasks: Sequence[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Those of `tasks` that still run, each of them cancelled."""
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    return running
