"""How many clients one worker receives at once."""

from vigil.core.ids import SessionKey
from vigil_ingestion import metrics


class Room:
    """Sessions whose client is connected or being connected: at most `capacity`."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._keys: set[SessionKey] = set()

    def enter(self, key: SessionKey) -> bool:
        """Whether there is room for the session's client, which takes it. One that has its place keeps it."""
        if key not in self._keys and len(self._keys) >= self.capacity:
            return False
        self._keys.add(key)
        metrics.CLIENTS.set(len(self._keys))
        return True

    def leave(self, key: SessionKey) -> None:
        """Give the place back. Idempotent."""
        self._keys.discard(key)
        metrics.CLIENTS.set(len(self._keys))
