"""How many pixels may be decoded at once: a picture of 150 KB may take 150 MB while it is decoded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MAX_PIXELS_IN_FLIGHT = 40_000_000  # about 120 MB in RGB


class PixelBudget:
    """At most `limit` pixels are held at once, of all calls together; first come, first served."""

    def __init__(self, limit: int = MAX_PIXELS_IN_FLIGHT) -> None:
        self._limit = limit
        self._held = 0
        self._next_in_line = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def held(self) -> int:
        """Pixels that are held now."""
        return self._held

    @asynccontextmanager
    async def holding(self, pixels: int) -> AsyncIterator[None]:
        """Hold so many pixels while the block runs; waits until they are free. More than the limit count as the
        limit."""
        wanted = min(pixels, self._limit)
        async with self._next_in_line:
            while self._held + wanted > self._limit:
                self._freed.clear()
                await self._freed.wait()
            self._held += wanted
        try:
            yield
        finally:
            self._held -= wanted
            self._freed.set()
