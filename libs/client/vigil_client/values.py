"""What the gateway answers, as frozen values with its names. What a newer gateway adds is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from vigil_client.errors import BadMessage
from vigil_client.options import Cadence, Hearing, Memory, Modules, Speech, Voice, Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a session, its credentials redacted. `url` is empty when a client pushes the pictures."""

    id: str
    kind: str
    url: str
    name: str
    loop: bool

    @property
    def label(self) -> str:
        """Its name for people, or its id when it has none."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Subjects:
    """NATS subjects of a session, for downstream systems."""

    alerts: str
    utterances: str
    delegations: str
    lifecycle: str
    approvals: str = ""
    transcripts: str = ""
    speech: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a session has come. `time_s` is the model time of its newest turn, None before the first."""

    turns: int
    time_s: float | None
    turns_in_chunk: int
    malformed_total: int
    alerts_open: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to know about a session that runs all the same: a stable `code`, and a `message` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session. `brain` answers its delegated questions; empty: the tenant's default. `progress`, and by role `status`
    and `workers`, are there when it is asked for by its id."""

    id: str
    state: str
    source: Source
    profile: str
    model: str
    cadence: Cadence
    window: Window
    speech: Speech
    infer_when_idle: bool
    created_at: datetime
    subjects: Subjects
    notices: tuple[Notice, ...] = ()
    memory: Memory = field(default_factory=Memory)
    hearing: Hearing = field(default_factory=Hearing)
    voice: Voice = field(default_factory=Voice)
    modules: Modules = field(default_factory=Modules)
    brain: str = ""
    ended_reason: str | None = None
    progress: Progress | None = None
    status: Mapping[str, Any] = field(default_factory=dict)
    workers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A standing instruction: pending until a turn has shown it to the model, the one numbered `given_at`. `brain`
    answers what is delegated under it; empty: the session's."""

    id: str
    text: str
    pending: bool
    given_at: int | None
    brain: str = ""


@dataclass(frozen=True, slots=True)
class Watch:
    """A standing instruction that raises alerts; see `NewWatch` for what its times mean."""

    id: str
    text: str
    pending: bool
    given_at: int | None
    name: str
    severity: str
    hold_s: float
    cooldown_s: float
    update_interval_s: float
    confirm_s: float
    brain: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One committed turn. `reply` is the control form, which `action`, `text` and `question` are read from. `observed`
    is what modules noticed, as the model was told it, line by line."""

    sequence: int
    time_s: float
    action: str
    text: str
    question: str
    reply: str
    queries: tuple[str, ...]
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, which is empty while there is none. `state` is open, delegated, answered or
    unanswered; a question that was delegated has the id of its `task`, and the `note` that the model said with it.
    `recalled` is what the memory told the model with the question, while that turn is in the prompt."""

    query: str
    asked_s: float
    state: str
    answer: str
    answered_s: float | None
    task: str
    note: str
    recalled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The last turns of a session and its dialogue, both oldest first."""

    session: str
    turns: tuple[Turn, ...]
    dialogue: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert, open or past, as the newest of its events tells of it. `closed_at` is None while it is `open`;
    `snapshot_path` is None when its picture could not be kept; `acknowledged_…` are None while nobody acknowledged it.
    `muted_until` is the end of its newest mute, which may be over, and None when it had none."""

    alert_id: str
    open: bool
    watch: str
    severity: str
    severities: tuple[str, ...]
    session: str
    source_id: str
    source_name: str
    instruction_id: str
    text: str
    reason: str
    p_speak: float | None
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    updates: int
    snapshot_path: str | None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_note: str | None = None
    muted_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One event of an alert: it opened, was updated, closed, or somebody acknowledged or muted it (`event`). `by`,
    `note` and `until` are of what somebody did; `time_s` is model time."""

    id: str
    event: str
    time: datetime
    severity: str
    text: str
    reason: str
    p_speak: float | None
    time_s: float
    decision_sequence: int
    by: str | None = None
    note: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDetail(AlertRecord):
    """An alert with its events, oldest first: the first one and the newest others; `events_left_out` are between these.
    `opened_sequence` is that of the turn that opened it, None when its opening is not kept any more."""

    opened_sequence: int | None
    events: tuple[AlertEvent, ...]
    events_left_out: int


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Alerts, those that began last first. `next`, where it is not None, names those that began earlier."""

    alerts: tuple[AlertRecord, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A request that changed something, or would have: who sent it from where, and the HTTP status of its answer.
    `method` is that of HTTP, or `grpc` or `websocket`."""

    time: datetime
    actor: str
    role: str
    method: str
    route: str
    session: str
    status: int
    address: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Records, oldest first. `next`, where it is not None, names those that come after them."""

    entries: tuple[AuditEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class RoleCapacity:
    """What the live workers of a role can hold, and what they hold or are to take."""

    workers: int
    capacity: int
    open_sessions: int


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the gateway serves, whether it takes new sessions on every kind of source, on which kinds it does, and
    how full the workers are, by role."""

    ready: bool
    takes_sessions: bool
    sources: Mapping[str, bool]
    checks: Mapping[str, str]
    capacity: Mapping[str, RoleCapacity]


@dataclass(frozen=True, slots=True)
class Voices:
    """The voices in which sessions may speak."""

    voices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as the gateway knows it: nothing here opens anything. `role` is viewer, operator or admin."""

    id: str
    name: str
    tenant: str
    role: str
    created: datetime | None
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """What was told to a session waits for its next turn under this id."""

    id: str
    session: str


def read(kind: type[T], answer: object) -> T:
    """The gateway's answer as one of the values above. Raises `BadMessage`."""
    try:
        return msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise BadMessage(
            f"the gateway's answer cannot be read as {kind.__name__} ({error})", "use a gateway of this version"
        ) from None


def moment(text: str) -> datetime:
    """An RFC 3339 time. Raises `BadMessage`."""
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise BadMessage(f"{text!r} is not a time (RFC 3339)") from None
