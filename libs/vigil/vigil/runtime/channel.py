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
    raised. What waits when it is closed is still delivered. For one event loop, and one reader.
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

    @property
    def dropped(self) -> int:
        """Items that were let go because newer ones came first."""
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

    async def __anext__(self) -> T:
        while not self._items:
            if self._closed:
                raise self._cause or StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        self._received += 1
        return self._items.popleft()
