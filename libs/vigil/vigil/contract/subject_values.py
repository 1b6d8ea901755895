"""A subject as a value: what each of its tokens says. Read with `parse`, written with `str`."""

from dataclasses import dataclass

from vigil.contract.errors import InvalidSubject
from vigil.contract.subject_tokens import (
    PREFIX,
    AlertAction,
    ApprovalEvent,
    DelegationEvent,
    Kind,
    Lifecycle,
    MemoryEvent,
    SpeechEvent,
)
from vigil.core.alert import AlertState
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey, token

_ALERT_STATES = frozenset(AlertState)
_DELEGATION_EVENTS = frozenset(DelegationEvent)
_MEMORY_EVENTS = frozenset(MemoryEvent)


@dataclass(frozen=True, slots=True)
class SessionSubject:
    """`vigil.v1.<kind>.<tenant>.<session>`."""

    kind: Kind
    key: SessionKey

    def __str__(self) -> str:
        return f"{PREFIX}.{self.kind}.{self.key.tenant}.{self.key.session}"


@dataclass(frozen=True, slots=True)
class ObservationSubject:
    """`vigil.v1.observation.<tenant>.<session>.<module>`: the module stands in it so that NATS enforces who speaks."""

    key: SessionKey
    module: str

    def __post_init__(self) -> None:
        token(self.module, "module")

    def __str__(self) -> str:
        return f"{PREFIX}.observation.{self.key.tenant}.{self.key.session}.{self.module}"


@dataclass(frozen=True, slots=True)
class LifecycleSubject:
    """`vigil.v1.session.<event>.<tenant>.<session>`."""

    event: Lifecycle
    key: SessionKey

    def __str__(self) -> str:
        return f"{PREFIX}.session.{self.event}.{self.key.tenant}.{self.key.session}"


@dataclass(frozen=True, slots=True)
class DelegationSubject:
    """`vigil.v1.delegation.<event>.<tenant>.<session>`."""

    event: DelegationEvent
    key: SessionKey

    def __str__(self) -> str:
        return f"{PREFIX}.delegation.{self.event}.{self.key.tenant}.{self.key.session}"


@dataclass(frozen=True, slots=True)
class ApprovalSubject:
    """`vigil.v1.approval.<event>.<tenant>.<session>`."""

    event: ApprovalEvent
    key: SessionKey

    def __str__(self) -> str:
        return f"{PREFIX}.approval.{self.event}.{self.key.tenant}.{self.key.session}"


@dataclass(frozen=True, slots=True)
class MemorySubject:
    """`vigil.v1.memory.<event>.<tenant>.<session>`."""

    event: MemoryEvent
    key: SessionKey

    def __str__(self) -> str:
        return f"{PREFIX}.memory.{self.event}.{self.key.tenant}.{self.key.session}"


@dataclass(frozen=True, slots=True)
class SpeechSubject:
    """`vigil.v1.speech.<event>.<tenant>.<session>`."""

    event: SpeechEvent
    key: SessionKey

    def __str__(self) -> str:
        return f"{PREFIX}.speech.{self.event}.{self.key.tenant}.{self.key.session}"


@dataclass(frozen=True, slots=True)
class AlertSubject:
    """`vigil.v1.alert.<tenant>.<source>.<event>`: what the alert's state became, or what somebody did about it."""

    tenant: str
    source: str
    event: AlertState | AlertAction

    def __post_init__(self) -> None:
        token(self.tenant, "tenant")
        token(self.source, "source id")

    def __str__(self) -> str:
        return f"{PREFIX}.alert.{self.tenant}.{self.source}.{self.event}"


@dataclass(frozen=True, slots=True)
class AuditSubject:
    """`vigil.v1.audit.<tenant>`."""

    tenant: str

    def __post_init__(self) -> None:
        token(self.tenant, "tenant")

    def __str__(self) -> str:
        return f"{PREFIX}.audit.{self.tenant}"


Subject = (
    SessionSubject
    | ObservationSubject
    | LifecycleSubject
    | DelegationSubject
    | ApprovalSubject
    | MemorySubject
    | SpeechSubject
    | AlertSubject
    | AuditSubject
)


def is_within(subject: str, pattern: str) -> bool:
    """Whether all that `subject`, which may hold wildcards itself, stands for is within `pattern`."""
    tokens, allowed = subject.split("."), pattern.split(".")
    if not all(tokens) or ">" in tokens[:-1]:
        return False
    for place, wanted in enumerate(allowed):
        if place >= len(tokens):
            return False
        if wanted == ">":
            return True
        if tokens[place] == ">" or wanted not in ("*", tokens[place]):
            return False
    return len(tokens) == len(allowed)


def parse(subject: str) -> Subject:
    """Read a subject, or raise `InvalidSubject`."""
    try:
        return _parse(subject.split("."))
    except (InvalidToken, ValueError) as error:
        raise InvalidSubject(f"{subject[:200]!r} is not a subject of Vigil: {error}") from None


def _parse(tokens: list[str]) -> Subject:
    match tokens:
        case ["vigil", "v1", "alert", tenant, source, event]:
            return AlertSubject(tenant, source, _alert_event(event))
        case ["vigil", "v1", "audit", tenant]:
            return AuditSubject(tenant)
        case ["vigil", "v1", "session", event, tenant, session]:
            return LifecycleSubject(Lifecycle(event), SessionKey(tenant, session))
        case ["vigil", "v1", "delegation", event, tenant, session] if event in _DELEGATION_EVENTS:
            return DelegationSubject(DelegationEvent(event), SessionKey(tenant, session))
        case ["vigil", "v1", "memory", event, tenant, session] if event in _MEMORY_EVENTS:
            return MemorySubject(MemoryEvent(event), SessionKey(tenant, session))
        case ["vigil", "v1", "speech", event, tenant, session]:
            return SpeechSubject(SpeechEvent(event), SessionKey(tenant, session))
        case ["vigil", "v1", "approval", event, tenant, session]:
            return ApprovalSubject(ApprovalEvent(event), SessionKey(tenant, session))
        case ["vigil", "v1", "observation", tenant, session, module]:
            return ObservationSubject(SessionKey(tenant, session), module)
        case ["vigil", "v1", *kind, tenant, session]:
            return SessionSubject(Kind(".".join(kind)), SessionKey(tenant, session))
    raise InvalidSubject("too few tokens")


def _alert_event(name: str) -> AlertState | AlertAction:
    return AlertState(name) if name in _ALERT_STATES else AlertAction(name)
