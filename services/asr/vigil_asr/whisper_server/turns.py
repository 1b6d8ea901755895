"""Who may decode next. One decoding uses all the threads that there are: two at once would only share them.

Imported by the server, which runs without Vigil: nothing but the standard library here.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Busy(Exception):
    """Others are before this one, and more of them than it may wait for."""


class Turns:
    """Final transcripts go before partial ones. A partial one that cannot begin soon is refused: the next one will know
    more. `places` final ones wait at most."""

    def __init__(self, places: int = 16, partial_wait_s: float = 0.1) -> None:
        self._places = places
        self._partial_wait_s = partial_wait_s
        self._changed = threading.Condition()
        self._is_taken = False
        self._waiting = 0

    @contextmanager
    def taken(self, *, is_final: bool) -> Iterator[None]:
        """Decode inside the block. Raises `Busy`."""
        with self._changed:
            self._wait(is_final)
            self._is_taken = True
        try:
            yield
        finally:
            with self._changed:
                self._is_taken = False
                self._changed.notify_all()

    def _wait(self, is_final: bool) -> None:
        if not is_final:
            if not self._changed.wait_for(lambda: not (self._is_taken or self._waiting), self._partial_wait_s):
                raise Busy("final transcripts are decoded first")
            return
        if self._waiting >= self._places:
            raise Busy(f"{self._waiting} final transcripts wait already")
        self._waiting += 1
        try:
            self._changed.wait_for(lambda: not self._is_taken)
        finally:
            self._waiting -= 1
