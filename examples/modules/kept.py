"""A value for each of the sessions that were seen last. Sessions end without a word to a module, so old ones go."""

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")


class Kept(Generic[V]):
    """At most `most` values by session. The one that was put least recently goes first."""

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._values: OrderedDict[str, V] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, session: str, default: V) -> V:
        """The session's value; `default` for a session that is new or was forgotten."""
        return self._values.get(session, default)

    def items(self) -> list[tuple[str, V]]:
        """Every session with its value."""
        return list(self._values.items())

    def put(self, session: str, value: V) -> None:
        """Keep the session's value."""
        self._values[session] = value
        self._values.move_to_end(session)
        if len(self._values) > self._most:
            self._values.popitem(last=False)
