"""A channel that never makes its reader late: it holds the newest items only, and counts what it lets go."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Statistics:
    """`offered` = `received` + `dropped` + `waiting`."""

    offered: int
    received: int
    dropped: int
    waiting: int


class KeepLatest(Generic[T], AsyncIterator[T]):
    """Holds at most the newest `capacity` items. Writers never wait; when it is full the oldest item is dropped.

    Iterating yields items until the channel is closed: without a cause the iteration ends, with one the cause is
    raised. What waits when it is closed is still delivered. For one event loop, and one reader, which takes items
    either by iterating, by `counted` or by `take`.
    """

    def __init__(self, capacity: int = 1) -> None:
        if capacity < 1:
            raise ValueError(f"capacity is {capacity}: give 1 or more")
        self._items: deque[T] = deque(maxlen=capacity)
        self._changed = asyncio.Event()
        self._closed = False
        self._cause: Exception | None = None
        self._offered = 0
        self._received = 0
        self._dropped = 0
        self._dropped_before = 0  # of `_dropped`: those that came before the last item that was taken

    @property
    def dropped(self) -> int:
        """All items that were let go, because newer ones came first or the channel was closed."""
        return self._dropped

    @property
    def statistics(self) -> Statistics:
        return Statistics(self._offered, self._received, self._dropped, len(self._items))

    def offer(self, item: T) -> None:
        """Put `item` in; after `close` it is counted as dropped."""
        self._offered += 1
        if self._closed:
            self._dropped += 1
            return
        self._dropped += len(self._items) == self._items.maxlen
        self._items.append(item)
        self._changed.set()

    def close(self, cause: Exception | None = None) -> None:
        """End the channel; `cause` is raised to the reader. Closing twice keeps the first cause."""
        if not self._closed:
            self._closed = True
            self._cause = cause
            self._changed.set()

    async def take(self) -> tuple[T, int]:
        """The next item, and how many were dropped since the item before it was taken.

        Raises like the iteration does: `StopAsyncIteration` or the cause once the channel is closed and empty. A
        `take` that is cancelled takes nothing, and what was dropped is told with the next item.
        """
        while not self._items:
            if self._closed:
                raise self._cause or StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        self._received += 1
        dropped, self._dropped_before = self._dropped - self._dropped_before, self._dropped
        return self._items.popleft(), dropped

    def counted(self) -> AsyncIterator[tuple[T, int]]:
        """Iterate over what `take` returns, until the channel is closed."""
        return _Counted(self)

    async def __anext__(self) -> T:
        item, _ = await self.take()
        return item


class _Counted(AsyncIterator[tuple[T, int]]):
    """An iterator of its own and not a generator: leaving the loop early leaves nothing to be closed."""

    def __init__(self, channel: KeepLatest[T]) -> None:
        self._channel = channel

    async def __anext__(self) -> tuple[T, int]:
        return await self._channel.take()
