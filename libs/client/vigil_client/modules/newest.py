"""A place for the newest message of each session: what is not taken in time is replaced."""

import asyncio


class NewestOfEach:
    """At most `capacity` sessions wait; above that the one that has waited longest makes way."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: dict[str, bytes] = {}
        self._woken = asyncio.Event()

    def put(self, session: str, payload: bytes) -> bool:
        """The newest of a session, which keeps its place in the row; whether another message made way for it."""
        is_replaced = session in self._waiting
        self._waiting[session] = payload
        self._woken.set()
        if len(self._waiting) > self._capacity:
            del self._waiting[next(iter(self._waiting))]
            return True
        return is_replaced

    def wake(self) -> None:
        """Let whoever waits look around."""
        self._woken.set()

    async def take(self) -> bytes | None:
        """The newest message of the session whose turn it is; None when somebody woke us and there is none."""
        if not self._waiting:
            self._woken.clear()
            await self._woken.wait()
        if not self._waiting:
            return None
        return self._waiting.pop(next(iter(self._waiting)))
