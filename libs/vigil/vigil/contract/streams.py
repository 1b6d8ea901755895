"""The JetStream streams and the buckets of objects, declared in one place. All are bounded; the oldest goes first."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

from vigil.contract import subjects
from vigil.contract.errors import InvalidSubject
from vigil.contract.subject_tokens import DelegationEvent, MemoryEvent

_HOUR_S = 3_600.0
_DAY_S = 24 * _HOUR_S
_MIB = 1 << 20

# A worker that takes a session over publishes its outbox again: JetStream stores each id once within this window.
DEDUPLICATION_S = 600.0


class Retention(StrEnum):
    """How long a stream keeps a message, within its limits of age and bytes."""

    LIMITS = "limits"  # for as long as the limits allow, for every reader
    WORK_QUEUE = "work_queue"  # until one consumer has acknowledged it; no two consumers get the same message


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream on file storage. A full stream discards its oldest messages, acknowledged or not.

    The server publishes each message that it has stored once more, on `subjects.numbered`, with its sequence: whoever
    listens there can tell where in the stream to go on.
    """

    name: str
    description: str
    subjects: tuple[str, ...]
    max_age_s: float
    max_bytes: int
    retention: Retention
    deduplication_s: float = DEDUPLICATION_S

    @property
    def family(self) -> str:
        """One pattern that all its subjects are within; not everything within it is stored here."""
        if len(self.subjects) == 1:
            return self.subjects[0]
        columns = zip(*(subject.split(".") for subject in self.subjects), strict=False)
        shared = takewhile(lambda tokens: len(set(tokens)) == 1, columns)
        return ".".join((*(tokens[0] for tokens in shared), ">"))


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """An object store bucket that discards its oldest objects."""

    name: str
    description: str
    max_age_s: float
    max_bytes: int

    @property
    def stream(self) -> str:
        """The stream that holds its objects."""
        return f"OBJ_{self.name}"


DECISIONS = StreamSpec(
    "DECISIONS", "every decision of every session", (subjects.ALL_DECISIONS,), _DAY_S, 256 * _MIB, Retention.LIMITS
)
UTTERANCES = StreamSpec(
    "UTTERANCES", "what the model said", (subjects.ALL_UTTERANCES,), _DAY_S, 128 * _MIB, Retention.LIMITS
)
ALERTS = StreamSpec(
    "ALERTS",
    "alerts opened, updated, closed, and what people did about them",
    (subjects.ALL_ALERTS,),
    7 * _DAY_S,
    128 * _MIB,
    Retention.LIMITS,
)
SESSIONS = StreamSpec(
    "SESSIONS", "the life of sessions", (subjects.ALL_LIFECYCLE,), 7 * _DAY_S, 64 * _MIB, Retention.LIMITS
)
DELEGATIONS = StreamSpec(
    "DELEGATIONS",
    "what became of delegated questions",
    subjects.all_delegations(*DelegationEvent),
    _DAY_S,
    128 * _MIB,
    Retention.LIMITS,
)
TASKS = StreamSpec(
    "TASKS",
    "delegated questions that wait for a brain",
    (subjects.ALL_TASKS,),
    _HOUR_S,
    64 * _MIB,
    Retention.WORK_QUEUE,
)
APPROVALS = StreamSpec(
    "APPROVALS",
    "side effects that brains asked for",
    (subjects.ALL_APPROVALS,),
    7 * _DAY_S,
    64 * _MIB,
    Retention.LIMITS,
)
MEMORY_REQUESTS = StreamSpec(
    "MEMORY_REQUESTS",
    "blocks of memory that wait to be written",
    (subjects.ALL_MEMORY_REQUESTS,),
    _HOUR_S,
    128 * _MIB,
    Retention.WORK_QUEUE,
)
MEMORY_EVENTS = StreamSpec(
    "MEMORY_EVENTS",
    "what became of blocks of memory that were asked for",
    subjects.all_memory(*MemoryEvent),
    _DAY_S,
    64 * _MIB,
    Retention.LIMITS,
)
TRANSCRIPTS = StreamSpec(
    "TRANSCRIPTS", "what was said to sessions", (subjects.ALL_TRANSCRIPTS,), _DAY_S, 64 * _MIB, Retention.LIMITS
)
SPEECH = StreamSpec("SPEECH", "what sessions spoke aloud", (subjects.ALL_SPEECH,), _DAY_S, 64 * _MIB, Retention.LIMITS)
DEAD_LETTERS = StreamSpec(
    "DEAD_LETTERS",
    "what could not be processed, and why",
    (subjects.ALL_DEAD_LETTERS,),
    30 * _DAY_S,
    64 * _MIB,
    Retention.LIMITS,
)
AUDIT = StreamSpec(
    "AUDIT", "who asked to change what", (subjects.ALL_AUDIT,), 90 * _DAY_S, 128 * _MIB, Retention.LIMITS
)
FORM = 5
"""The number of these declarations, which the server keeps with each stream. Raise it with every change of them: a
release with a lower number leaves the streams as they are, so that it takes nothing out of them."""

# What becomes of work stands before the work itself: `stream_of` finds it for all events of a session.
STREAMS = (
    DECISIONS,
    UTTERANCES,
    ALERTS,
    SESSIONS,
    DELEGATIONS,
    TASKS,
    MEMORY_EVENTS,
    MEMORY_REQUESTS,
    APPROVALS,
    TRANSCRIPTS,
    SPEECH,
    DEAD_LETTERS,
    AUDIT,
)

SNAPSHOTS = BucketSpec("VIGIL_SNAPSHOTS", "the frames that opened alerts", 7 * _DAY_S, 512 * _MIB)
ARTEFACTS = BucketSpec("VIGIL_ARTEFACTS", "the files that brains made", _DAY_S, 512 * _MIB)

BUCKETS = (SNAPSHOTS, ARTEFACTS)


def stream_of(subject: str) -> StreamSpec:
    """The stream that stores messages on `subject`, which may hold wildcards: then the first that stores some of them.
    Raises `InvalidSubject`."""
    for stream in STREAMS:
        if any(_meet(subject, pattern) for pattern in stream.subjects):
            return stream
    raise InvalidSubject(f"no stream stores {subject[:120]!r}")


def _meet(subject: str, pattern: str) -> bool:
    """Whether there are subjects that are of both."""
    ours, theirs = subject.split("."), pattern.split(".")
    for our, their in zip(ours, theirs, strict=False):
        if ">" in (our, their):
            return True
        if our != their and "*" not in (our, their):
            return False
    return len(ours) == len(theirs)
