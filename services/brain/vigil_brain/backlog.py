"""The tasks that wait at a worker: bounded, the most urgent first, fair to tenants and sessions. Pure.

Of two tasks the one with the higher priority comes first, then the one whose time is up sooner, then the one that came
first. A task runs when there is a free place. What is one too many goes back to the stream, where it waits
for another worker or for later; what is over the bounds of its tenant or session is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from vigil.core.ids import SessionKey
from vigil.core.task import TaskRequest

I = TypeVar("I")  # noqa: E741  the item that waits with a request


@dataclass(frozen=True, slots=True)
class Limits:
    """`waiting` tasks wait and `running` run at a worker; of one tenant and one session so many wait or run."""

    waiting: int = 64
    running: int = 4
    of_tenant: int = 32
    of_session: int = 8


class Verdict(StrEnum):
    """What becomes of a task that came."""

    WAITS = "waits"
    TENANT_FULL = "tenant_full"
    SESSION_FULL = "session_full"


@dataclass(frozen=True, slots=True)
class Entry(Generic[I]):
    """A task with what the worker needs to go on with it."""

    request: TaskRequest
    item: I
    number: int

    @property
    def urgency(self) -> tuple[int, int, int]:
        """The smallest comes first."""
        return (-self.request.priority, self.request.expires_us, self.number)


@dataclass(frozen=True, slots=True)
class Added(Generic[I]):
    """What became of a task that came, and the task that makes way for it, if one does: perhaps itself."""

    verdict: Verdict
    displaced: Entry[I] | None = None


@dataclass(slots=True)
class Backlog(Generic[I]):
    """What waits and what runs at one worker, by session and task."""

    limits: Limits = field(default_factory=Limits)
    _waiting: dict[tuple[SessionKey, str], Entry[I]] = field(default_factory=dict)
    _running: dict[tuple[SessionKey, str], Entry[I]] = field(default_factory=dict)
    _came: int = 0

    @property
    def waiting(self) -> int:
        """How many tasks wait."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """How many tasks run."""
        return len(self._running)

    def __iter__(self) -> Iterator[Entry[I]]:
        """What runs, then what waits, the most urgent first."""
        return iter((*self._running.values(), *sorted(self._waiting.values(), key=lambda entry: entry.urgency)))

    def is_running(self, key: SessionKey, task: str) -> bool:
        """Whether the task runs."""
        return (key, task) in self._running

    def find(self, key: SessionKey, task: str) -> Entry[I] | None:
        """A task that waits or runs."""
        place = (key, task)
        return self._running.get(place) or self._waiting.get(place)

    def of(self, key: SessionKey) -> tuple[Entry[I], ...]:
        """The tasks of a session."""
        return tuple(entry for entry in self if entry.request.key == key)

    def add(self, request: TaskRequest, item: I) -> Added[I]:
        """Let a task wait that is not here yet. Of too many that wait the least urgent is given back as `displaced`."""
        if (verdict := self._verdict(request)) is not Verdict.WAITS:
            return Added(verdict)
        self._came += 1
        self._waiting[(request.key, request.task)] = Entry(request, item, self._came)
        if len(self._waiting) <= self.limits.waiting:
            return Added(Verdict.WAITS)
        last = max(self._waiting.values(), key=lambda entry: entry.urgency)
        self.remove(last.request.key, last.request.task)
        return Added(Verdict.WAITS, last)

    def next(self) -> Entry[I] | None:
        """The most urgent task that waits, which runs from now on; None while all places are taken or none waits."""
        if not self._waiting or len(self._running) >= self.limits.running:
            return None
        place, entry = min(self._waiting.items(), key=lambda waiting: waiting[1].urgency)
        self._running[place] = self._waiting.pop(place)
        return entry

    def remove(self, key: SessionKey, task: str) -> None:
        """The task is here no more."""
        self._waiting.pop((key, task), None)
        self._running.pop((key, task), None)

    def _verdict(self, request: TaskRequest) -> Verdict:
        requests = [entry.request for entry in self]
        if sum(known.key == request.key for known in requests) >= self.limits.of_session:
            return Verdict.SESSION_FULL
        if sum(known.tenant == request.tenant for known in requests) >= self.limits.of_tenant:
            return Verdict.TENANT_FULL
        return Verdict.WAITS
