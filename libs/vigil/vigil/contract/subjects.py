"""Every subject that Vigil speaks on, built here and nowhere else (design §3); `subject_values` reads them.

A subject is `vigil.v1.<kind>.…`; each of its variable tokens matches `[A-Za-z0-9_-]{1,64}` and a tenant is always
among them, except in dead letters, which only operators read.
"""

from collections.abc import Iterable

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
from vigil.contract.subject_values import (
    AlertSubject,
    ApprovalSubject,
    AuditSubject,
    DelegationSubject,
    LifecycleSubject,
    MemorySubject,
    ObservationSubject,
    SessionSubject,
    SpeechSubject,
)
from vigil.core.alert import AlertState
from vigil.core.ids import SessionKey, token

ALL_ALERTS = f"{PREFIX}.alert.>"
ALL_DECISIONS = f"{PREFIX}.decision.>"
ALL_UTTERANCES = f"{PREFIX}.utterance.>"
ALL_LIFECYCLE = f"{PREFIX}.session.>"
ALL_TASKS = f"{PREFIX}.{Kind.TASK_REQUESTED}.>"
ALL_MEMORY_REQUESTS = f"{PREFIX}.{Kind.MEMORY_REQUESTED}.>"
ALL_MEMORY_RECALLS = f"{PREFIX}.{Kind.MEMORY_RECALL}.>"
ALL_TRANSCRIPTS = f"{PREFIX}.{Kind.TRANSCRIPT}.>"
ALL_SPEECH = f"{PREFIX}.speech.>"
ALL_OBSERVATIONS = f"{PREFIX}.observation.>"
ALL_APPROVALS = f"{PREFIX}.approval.>"
ALL_AUDIT = f"{PREFIX}.audit.>"
ALL_DEAD_LETTERS = f"{PREFIX}.dlq.>"
ALL_NUMBERED = f"{PREFIX}.numbered.>"
ALL_HISTORY_ASKED = f"{PREFIX}.history.ask.*"
ALL_HISTORY_ANSWERS = f"{PREFIX}.history.answer.>"


def numbered(subject: str) -> str:
    """Where the server publishes what it has stored on `subject` once more, with its sequence in the stream."""
    return f"{PREFIX}.numbered.{subject.removeprefix(f'{PREFIX}.')}"


def raw_frames(key: SessionKey) -> str:
    """Where ingestion publishes `FrameGroup`s."""
    return str(SessionSubject(Kind.RAW_FRAMES, key))


def raw_frames_of(tenant: str) -> str:
    """A filter for the raw frames of all of a tenant's sessions."""
    return f"{PREFIX}.{Kind.RAW_FRAMES}.{token(tenant, 'tenant')}.*"


def coded_frames(key: SessionKey) -> str:
    """Where the codec publishes `CodedFrameGroup`s."""
    return str(SessionSubject(Kind.CODED_FRAMES, key))


def frame_asked(key: SessionKey) -> str:
    """Where an empty message asks ingestion for the newest picture at once: a question waits for a turn."""
    return str(SessionSubject(Kind.FRAME_ASKED, key))


def command(key: SessionKey) -> str:
    """Where an empty message says that a command waits in the session's inbox."""
    return str(SessionSubject(Kind.COMMAND, key))


def decision(key: SessionKey) -> str:
    """Where every turn's `Decision` is stored."""
    return str(SessionSubject(Kind.DECISION, key))


def decisions_of(tenant: str) -> str:
    """A filter for the decisions of all of a tenant's sessions."""
    return f"{PREFIX}.{Kind.DECISION}.{token(tenant, 'tenant')}.*"


def utterance(key: SessionKey) -> str:
    """Where what the model says is stored, as CloudEvents."""
    return str(SessionSubject(Kind.UTTERANCE, key))


def turn_dropped(key: SessionKey) -> str:
    """Where `TurnDropped` says that nobody decides on a group of pictures."""
    return str(SessionSubject(Kind.TURN_DROPPED, key))


def preview_asked(key: SessionKey) -> str:
    """Where an empty message says that somebody looks at the session's smooth picture now."""
    return str(SessionSubject(Kind.PREVIEW_ASKED, key))


def preview_shown(key: SessionKey) -> str:
    """Where ingestion publishes the session's smooth picture, as JPEGs, while somebody looks."""
    return str(SessionSubject(Kind.PREVIEW_SHOWN, key))


def signalling(key: SessionKey) -> str:
    """Where the ingestion worker that holds a WebRTC session answers `SignallingRequest`s with `SignallingReply`s."""
    return str(SessionSubject(Kind.SIGNALLING, key))


def lifecycle(event: Lifecycle, key: SessionKey) -> str:
    """Where one kind of event of a session's life is stored, as CloudEvents."""
    return str(LifecycleSubject(event, key))


def lifecycle_of(key: SessionKey) -> str:
    """A filter for all events of one session's life."""
    return f"{PREFIX}.session.*.{key.tenant}.{key.session}"


def lifecycles_of(tenant: str) -> str:
    """A filter for all events of the life of a tenant's sessions."""
    return f"{PREFIX}.session.*.{token(tenant, 'tenant')}.*"


def stored_of(tenant: str) -> tuple[str, ...]:
    """The events of a tenant that its downstream systems may read: its alerts, its utterances, the life of its
    sessions, its delegated questions, the approvals that their brains ask for, what became of its memories, what was
    said to its sessions, and what they spoke."""
    token(tenant, "tenant")
    return (
        f"{PREFIX}.alert.{tenant}.>",
        f"{PREFIX}.utterance.{tenant}.>",
        f"{PREFIX}.session.*.{tenant}.>",
        f"{PREFIX}.delegation.*.{tenant}.>",
        f"{PREFIX}.approval.*.{tenant}.>",
        *(f"{PREFIX}.memory.{event}.{tenant}.>" for event in MemoryEvent),
        f"{PREFIX}.{Kind.TRANSCRIPT}.{tenant}.>",
        f"{PREFIX}.speech.*.{tenant}.>",
    )


def delegation(event: DelegationEvent, key: SessionKey) -> str:
    """Where one kind of event of a session's delegated questions is stored, as CloudEvents."""
    return str(DelegationSubject(event, key))


def delegations_of(key: SessionKey) -> str:
    """A filter for all events of one session's delegated questions."""
    return f"{PREFIX}.delegation.*.{key.tenant}.{key.session}"


def all_delegations(*events: DelegationEvent) -> tuple[str, ...]:
    """The subjects of these kinds of events of all delegated questions."""
    return tuple(f"{PREFIX}.delegation.{event}.>" for event in events)


def task_requested(key: SessionKey) -> str:
    """Where a `TaskRequest` waits for a brain."""
    return str(SessionSubject(Kind.TASK_REQUESTED, key))


def task_cancelling(key: SessionKey) -> str:
    """Where the id of a task says to the brain that works on it that nobody wants its answer any more."""
    return str(SessionSubject(Kind.TASK_CANCELLING, key))


def memory_requested(key: SessionKey) -> str:
    """Where a `MemoryRequest` waits for a memory worker."""
    return str(SessionSubject(Kind.MEMORY_REQUESTED, key))


def memory_recall(key: SessionKey) -> str:
    """Where a memory worker answers a `RecallRequest` about the session with a `RecallResponse`."""
    return str(SessionSubject(Kind.MEMORY_RECALL, key))


def memory(event: MemoryEvent, key: SessionKey) -> str:
    """Where one kind of event of a session's memory is stored, as CloudEvents."""
    return str(MemorySubject(event, key))


def memory_of(key: SessionKey) -> str:
    """A filter for all events of one session's memory."""
    return f"{PREFIX}.memory.*.{key.tenant}.{key.session}"


def all_memory(*events: MemoryEvent) -> tuple[str, ...]:
    """The subjects of these kinds of events of every session's memory."""
    return tuple(f"{PREFIX}.memory.{event}.>" for event in events)


def audio_in(key: SessionKey) -> str:
    """Where ingestion and the gateway publish the sound that a session may hear, as `AudioChunk`s."""
    return str(SessionSubject(Kind.AUDIO_IN, key))


def audio_out(key: SessionKey) -> str:
    """Where what the session speaks is published as sound, as `SpokenChunk`s."""
    return str(SessionSubject(Kind.AUDIO_OUT, key))


def voice_activity(key: SessionKey) -> str:
    """Where a `VoiceActivity` says that somebody began or stopped to speak to the session."""
    return str(SessionSubject(Kind.VOICE_ACTIVITY, key))


def announcement(key: SessionKey) -> str:
    """Where what an operator has the session say aloud is told, as CloudEvents that are not stored."""
    return str(SessionSubject(Kind.ANNOUNCEMENT, key))


def transcript_partial(key: SessionKey) -> str:
    """Where what is being said to the session is told while it is said, as CloudEvents that are not stored."""
    return str(SessionSubject(Kind.TRANSCRIPT_PARTIAL, key))


def transcript(key: SessionKey) -> str:
    """Where what was said to the session is stored, as CloudEvents."""
    return str(SessionSubject(Kind.TRANSCRIPT, key))


def speech(event: SpeechEvent, key: SessionKey) -> str:
    """Where one kind of event of what the session speaks aloud is stored, as CloudEvents."""
    return str(SpeechSubject(event, key))


def speech_of(key: SessionKey) -> str:
    """A filter for all events of what one session speaks aloud."""
    return f"{PREFIX}.speech.*.{key.tenant}.{key.session}"


def observation(key: SessionKey, module: str) -> str:
    """Where a module tells a session what it noticed, as CloudEvents that are not stored."""
    return str(ObservationSubject(key, module))


def observations_of(key: SessionKey) -> str:
    """A filter for what all modules tell one session."""
    return f"{PREFIX}.observation.{key.tenant}.{key.session}.*"


def observations_of_tenant(tenant: str, module: str | None = None) -> str:
    """A filter for what one module, or all, tell a tenant's sessions."""
    last = "*" if module is None else token(module, "module")
    return f"{PREFIX}.observation.{token(tenant, 'tenant')}.*.{last}"


def approval(event: ApprovalEvent, key: SessionKey) -> str:
    """Where one kind of event of the approvals that a session's brains ask for is stored, as CloudEvents."""
    return str(ApprovalSubject(event, key))


def approvals_of(key: SessionKey) -> str:
    """A filter for all events of the approvals of one session."""
    return f"{PREFIX}.approval.*.{key.tenant}.{key.session}"


def approvals_of_tenant(tenant: str) -> str:
    """A filter for all events of the approvals of a tenant's sessions."""
    return f"{PREFIX}.approval.*.{token(tenant, 'tenant')}.*"


def all_approvals(*events: ApprovalEvent) -> tuple[str, ...]:
    """The subjects of these kinds of events of all approvals."""
    return tuple(f"{PREFIX}.approval.{event}.>" for event in events)


def alert(tenant: str, source: str, event: AlertState | AlertAction) -> str:
    """Where one kind of alert event of a source is stored, as CloudEvents."""
    return str(AlertSubject(tenant, source, event))


def alerts_of(tenant: str, source: str | None = None) -> str:
    """A filter for a tenant's alerts, of one source or of all."""
    token(tenant, "tenant")
    middle = "*" if source is None else token(source, "source id")
    return f"{PREFIX}.alert.{tenant}.{middle}.*"


def alert_events_of(tenant: str, event: AlertState | AlertAction) -> str:
    """A filter for one kind of event of all alerts of a tenant."""
    return f"{PREFIX}.alert.{token(tenant, 'tenant')}.*.{event}"


def all_alert_events(events: Iterable[AlertState | AlertAction]) -> tuple[str, ...]:
    """The subjects of these kinds of alert events of every tenant."""
    return tuple(f"{PREFIX}.alert.*.*.{event}" for event in events)


def audit(tenant: str) -> str:
    """Where it is stored who asked to change what of a tenant, as CloudEvents. For operators and administrators: no
    downstream system may read it."""
    return str(AuditSubject(tenant))


def history_asked(tenant: str) -> str:
    """Where a downstream system asks for a tenant's stored events."""
    return f"{PREFIX}.history.ask.{token(tenant, 'tenant')}"


def answers_of(tenant: str) -> str:
    """A filter for all answers to those of a tenant that asked."""
    return f"{PREFIX}.history.answer.{token(tenant, 'tenant')}.>"


def history_answers(tenant: str, asker: str) -> str:
    """Where they are sent to whoever asked for them; `asker` is a token that the asker made up."""
    return f"{PREFIX}.history.answer.{token(tenant, 'tenant')}.{token(asker, 'asker')}"


def dead_letters(origin: str) -> str:
    """Where a service puts aside what it could not process. For operators: such a subject names no tenant."""
    return f"{PREFIX}.dlq.{token(origin, 'origin')}"
