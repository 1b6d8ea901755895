"""Where a session lives in Redis: `vigil:v1:{<tenant>.<session>}:<part>`, all parts in one hash slot."""

from enum import StrEnum

from vigil.core.ids import SessionKey

PREFIX = "vigil:v1"
PROBE_KEY = f"{PREFIX}:{{health}}:probe"
"""Removed to see whether the store takes writes. It never exists."""


class Part(StrEnum):
    """The parts of a session. The Lua scripts get their keys in this order."""

    SPEC = "spec"  # string: JSON of the SessionSpec
    HEAD = "head"  # string: JSON of what every turn changes; this and the next six are the state, see `state_parts`
    MEMORY = "memory"  # string: JSON of the chunk's number and prefix, and of the blocks of memory
    INSTRUCTIONS = "instructions"  # string: JSON of the standing instructions
    ALERTS = "alerts"  # string: JSON of the alerts
    UTTERED = "uttered"  # string: JSON of what was uttered a moment ago
    DIALOGUE = "dialogue"  # string: JSON of the exchanges
    TASKS = "tasks"  # string: JSON of the delegated questions that are on their way
    TURNS = "turns"  # list: JSON of each turn of the current chunk
    FRAMES = "frames"  # hash: uuid to JPEG, of the current chunk
    OUTBOX = "outbox"  # list: msgpack of each Outgoing not yet known to be stored
    INBOX = "inbox"  # list: JSON of each command not yet shown to the model
    RESULTS = "results"  # list: JSON of each result of a delegated question not yet shown to the model
    WRITTEN = "written"  # list: JSON of each block of memory that has not entered the state yet
    FENCE = "fence"  # string: the highest fence that took the session
    ORIGIN = "origin"  # string: capture time of the first frame, in microseconds
    STATUS = "status"  # hash: a service's role to its short status text
    ENDED = "ended"  # string: JSON of why and when the session ended
    LOG = "log"  # list: JSON of the last turns' replies
    LAST = "last"  # string: id of the last commit, so that a repeated one changes nothing
    SHOWN = (
        "shown"  # hash: of what a client pushed last: model time, nonce, capture time, mark; and when it was heard of
    )
    DELEGATED = "delegated"  # sorted set: ids of the tasks that brains had, by when they came, in ms
    ARCHIVE = "archive"  # hash: of each summary and each exchange, by its time in ms and what it is, to JSON
    KEYFRAMES = "keyframes"  # hash: time in ms and uuid to JPEG, of spans that are summarised


def session_keys(key: SessionKey) -> list[str]:
    """Every key of a session, in the order of `Part`."""
    return [part_key(key, part) for part in Part]


def part_key(key: SessionKey, part: Part) -> str:
    """The key of one part."""
    return f"{PREFIX}:{{{member(key)}}}:{part}"


def turn_key(key: SessionKey) -> str:
    """The key of the turn lease. It is no `Part`: it has an expiry of its own, whatever becomes of the session."""
    return f"{PREFIX}:{{{member(key)}}}:turn"


def task_key(key: SessionKey, task: str) -> str:
    """The key of the hash in which the work on a task stands. Its name is among `Part.DELEGATED`."""
    return f"{PREFIX}:{{{member(key)}}}:task:{task}"


def approval_key(key: SessionKey, approval: str) -> str:
    """The key of the hash of a request for an approval. It has an expiry of its own."""
    return f"{PREFIX}:{{{member(key)}}}:approval:{approval}"


def approvals_key(tenant: str) -> str:
    """Sorted set of the approvals of a tenant's sessions; the score is when an entry is forgotten, in ms."""
    return f"{PREFIX}:{{tenant:{tenant}}}:approvals"


def grants_key(tenant: str) -> str:
    """Hash of the patterns that grant some of a tenant's approvals by themselves: id to JSON."""
    return f"{PREFIX}:{{tenant:{tenant}}}:grants"


def newest_key(key: SessionKey) -> str:
    """The key of the id of the newest session under a client's name, whose own id is that of `key`."""
    return f"{PREFIX}:{{{member(key)}}}:newest"


def index_key(tenant: str) -> str:
    """Sorted set of a tenant's sessions; the score is when an entry is forgotten, in ms, or infinity."""
    return f"{PREFIX}:{{tenant:{tenant}}}:sessions"


def member(key: SessionKey) -> str:
    """A session as a member of a set. Tokens hold no dot, so it reads back."""
    return f"{key.tenant}.{key.session}"


def from_member(text: bytes) -> SessionKey:
    """Read what `member` wrote."""
    tenant, session = text.decode().split(".")
    return SessionKey(tenant, session)
