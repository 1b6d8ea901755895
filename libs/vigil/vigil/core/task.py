"""The work on a delegated question: what a brain is asked, how far it is, and what it left behind. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from vigil.core.ids import SessionKey

MAX_ARTEFACTS = 8
MAX_ARTEFACT_BYTES = 8 << 20  # of one artefact
MAX_ARTEFACTS_BYTES = 16 << 20  # of all artefacts of one task
MAX_PRIORITY = 9


class TaskState(StrEnum):
    """How far the work on a task is."""

    QUEUED = "queued"  # it waits for a worker
    RUNNING = "running"
    WAITING_APPROVAL = "waiting_approval"  # its brain waits until an operator decides
    READY = "ready"  # its answer was given to the session
    ERROR = "error"  # there is no answer, and the session was told why
    CANCELLED = "cancelled"  # nobody wants its answer any more

    @property
    def is_final(self) -> bool:
        """Whether nothing more is done about such a task."""
        return self in _FINAL


_FINAL = frozenset({TaskState.READY, TaskState.ERROR, TaskState.CANCELLED})


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """A delegated question as work for a brain; see `proto/vigil/v1/delegation.proto`.

    Model times are in milliseconds, `opened_at_us` in microseconds since the epoch. An answer is of use for `ttl_s`
    seconds from then on. `frames` are key frames of the turn and of turns before it, oldest first.
    """

    tenant: str
    session: str
    source_id: str
    task: str
    question: str
    note: str = ""
    language: str = ""
    brain: str = ""
    sequence: int = 0
    time_ms: int = 0
    deadline_ms: int = 0
    opened_at_us: int = 0
    ttl_s: float = 120.0
    priority: int = 0
    frames: tuple["KeyFrame", ...] = ()
    memory: str = ""
    instructions: tuple[str, ...] = ()

    @property
    def key(self) -> SessionKey:
        """The key of its session."""
        return SessionKey(self.tenant, self.session)

    @property
    def expires_us(self) -> int:
        """When an answer is of no use any more, in microseconds since the epoch."""
        return self.opened_at_us + round(self.ttl_s * 1e6)


@dataclass(frozen=True, slots=True)
class KeyFrame:
    """A picture by reference, with its model time in milliseconds."""

    uuid: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that a brain made. `media_type` was compared with the bytes; `size` is in bytes. `object` is its name in
    the bucket of artefacts."""

    name: str
    media_type: str
    size: int
    object: str


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """What the store keeps of the work on a task.

    `digest` is the answer as the session was given it, `error` why there is none, `progress` what the brain said last.
    `fence` counts the workers that took it. Times are in milliseconds since the epoch, -1 where it has not come to
    that.
    """

    request: TaskRequest
    state: TaskState
    brain: str = ""
    worker: str = ""
    fence: int = 0
    digest: str = ""
    error: str = ""
    progress: str = ""
    artefacts: tuple[Artefact, ...] = ()
    queued_ms: int = -1
    started_ms: int = -1
    ended_ms: int = -1

    @property
    def task(self) -> str:
        """The id of the task."""
        return self.request.task
