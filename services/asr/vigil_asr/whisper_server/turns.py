"""Who may decode next. One decoding uses all the threads that there are: two at once would only share them.

Imported by the server, which runs without Vigil: nothing but the standard library here.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IsWanted = Callable[[], bool]


class Busy(Exception):
    """Others are before this one, and more of them than it may wait for."""


class Unwanted(Exception):
    """Whoever asked for this transcript does not wait for it any more."""


def always() -> bool:
    """For a transcript that is waited for to the end."""
    return True


class Turns:
    """Final transcripts go before partial ones. A partial one that cannot begin soon is refused, and one that is being
    decoded gives way: the next one will know more. `places` final ones wait at most."""

    def __init__(self, places: int = 16, partial_wait_s: float = 0.1) -> None:
        self._places = places
        self._partial_wait_s = partial_wait_s
        self._changed = threading.Condition()
        self._is_taken = False
        self._waiting = 0

    @contextmanager
    def taken(self, *, is_final: bool, is_wanted: IsWanted = always) -> Iterator[Callable[[], None]]:
        """Decode inside the block, and call what it yields before each long step: that raises when the rest is not
        worth its time. `is_wanted` says whether anybody waits for the transcript. Raises `Busy`, `Unwanted`."""
        with self._changed:
            self._wait(is_final)
            self._is_taken = True

        def go_on() -> None:
            if not is_wanted():
                raise Unwanted
            if not is_final and self._waiting:
                raise Busy("a final transcript is decoded first")

        try:
            go_on()
            yield go_on
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
