"""The requests that wait at a worker: bounded, those that are due first run first. Pure.

A request whose summariser failed waits here for its next try, and holds up none of the others meanwhile. What is one
too many goes back to the stream, where it waits for another worker or for later.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from vigil.core.ids import SessionKey
from vigil.core.memory import MemoryRequest

I = TypeVar("I")  # noqa: E741  the item that waits with a request

Place = tuple[SessionKey, str]


@dataclass(frozen=True, slots=True)
class Limits:
    """`waiting` requests wait and `running` run at a worker."""

    waiting: int = 256
    running: int = 2


@dataclass(frozen=True, slots=True)
class Entry(Generic[I]):
    """A request with what the worker needs to go on with it. It does not run before `not_before_us`; `failures` counts
    the tries that gave nothing."""

    request: MemoryRequest
    item: I
    number: int
    not_before_us: int = 0
    failures: int = 0

    @property
    def place(self) -> Place:
        """The session and the block: what is asked for twice is written once."""
        return (self.request.key, self.request.id)

    @property
    def urgency(self) -> tuple[int, int]:
        """The smallest comes first."""
        return (self.request.due_us, self.number)


@dataclass(slots=True)
class Backlog(Generic[I]):
    """What waits and what runs at one worker, by session and block."""

    limits: Limits = field(default_factory=Limits)
    _waiting: dict[Place, Entry[I]] = field(default_factory=dict)
    _running: dict[Place, Entry[I]] = field(default_factory=dict)
    _came: int = 0

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """How many requests run."""
        return len(self._running)

    def __iter__(self) -> Iterator[Entry[I]]:
        """What runs, then what waits, what is due first in front."""
        return iter((*self._running.values(), *sorted(self._waiting.values(), key=lambda entry: entry.urgency)))

    def is_running(self, place: Place) -> bool:
        """Whether the request runs."""
        return place in self._running

    def find(self, place: Place) -> Entry[I] | None:
        """A request that waits or runs."""
        return self._running.get(place) or self._waiting.get(place)

    def add(self, request: MemoryRequest, item: I) -> Entry[I] | None:
        """Let a request wait that is not here yet. Of too many that wait the one that is due last makes way: it is
        returned, perhaps the new one itself."""
        self._came += 1
        entry = Entry(request, item, self._came)
        self._waiting[entry.place] = entry
        return self._too_many()

    def renew(self, entry: Entry[I], request: MemoryRequest, item: I) -> None:
        """The same block was asked for again: the new request takes the place of the old one."""
        kept = self._running if self.is_running(entry.place) else self._waiting
        kept[entry.place] = replace(entry, request=request, item=item)

    def next(self, now_us: int) -> Entry[I] | None:
        """The request that is due first of those that may run now, which runs from now on; None while all places are
        taken or none may run."""
        ready = [entry for entry in self._waiting.values() if entry.not_before_us <= now_us]
        if not ready or len(self._running) >= self.limits.running:
            return None
        entry = min(ready, key=lambda waiting: waiting.urgency)
        self._running[entry.place] = self._waiting.pop(entry.place)
        return entry

    def wake_us(self) -> int | None:
        """When the first request that waits for its next try may run; None while a place is what is lacking."""
        if not self._waiting or len(self._running) >= self.limits.running:
            return None
        return min(entry.not_before_us for entry in self._waiting.values())

    def defer(self, place: Place, not_before_us: int, *, failed: bool) -> Entry[I] | None:
        """A request that runs waits again, unless it was removed; `failed` counts against it. Returns what makes way
        for it, if anything."""
        entry = self._running.pop(place, None)
        if entry is None:
            return None
        self._waiting[place] = replace(
            entry, not_before_us=not_before_us, failures=entry.failures + 1 if failed else entry.failures
        )
        return self._too_many()

    def remove(self, place: Place) -> None:
        """The request is here no more."""
        self._waiting.pop(place, None)
        self._running.pop(place, None)

    def _too_many(self) -> Entry[I] | None:
        if len(self._waiting) <= self.limits.waiting:
            return None
        last = max(self._waiting.values(), key=lambda entry: entry.urgency)
        del self._waiting[last.place]
        return last
