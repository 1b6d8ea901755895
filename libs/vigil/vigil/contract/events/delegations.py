"""Delegation events: the task of a delegated question opened, closed."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, Emission, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.decide import Settled
from vigil.core.delegation import TaskEnd
from vigil.core.session import SessionSpec
from vigil.core.turn import Task


@dataclass(frozen=True, slots=True)
class DelegationData:
    """The `data` of a delegation event. All `_s` are model time in seconds; `decision_sequence` is that of the turn in
    which the event happened. `outcome` is None until the task closes; `result` is what was found, or why nothing was,
    and empty when no result came."""

    tenant: str
    session: str
    source_id: str
    task: str
    event: str
    question: str
    note: str
    outcome: str | None
    result: str
    capture_time: str
    emit_time: str
    time_s: float
    opened_s: float
    deadline_s: float
    decision_sequence: int


@dataclass(frozen=True, slots=True)
class TaskMoment:
    """When something happened to a task: model time in milliseconds, the turn's sequence, and the times of the bus."""

    time_ms: int
    sequence: int
    emission: Emission


def delegations_outgoing(spec: SessionSpec, settled: Settled, emission: Emission) -> tuple[Outgoing, ...]:
    """The stored messages of the tasks that closed in a turn, and of the one that it opened."""
    moment = TaskMoment(settled.decision.time_ms, settled.decision.sequence, emission)
    closed = tuple(closed_outgoing(spec, end, moment) for end in settled.task_ends)
    opened = settled.task_opened
    return closed if opened is None else (*closed, _outgoing(spec, DelegationEvent.OPENED, opened, None, moment))


def closed_outgoing(spec: SessionSpec, end: TaskEnd, moment: TaskMoment) -> Outgoing:
    """The stored message of a task that closed."""
    return _outgoing(spec, DelegationEvent.CLOSED, end.task, end, moment)


def _outgoing(
    spec: SessionSpec, event: DelegationEvent, task: Task, end: TaskEnd | None, moment: TaskMoment
) -> Outgoing:
    emission = moment.emission
    data = DelegationData(
        tenant=spec.tenant,
        session=spec.session,
        source_id=spec.source.id,
        task=task.id,
        event=event,
        question=task.question,
        note=task.note,
        outcome=None if end is None else end.outcome,
        result="" if end is None or end.result is None else end.result.text,
        capture_time=rfc3339(emission.capture_time_us),
        emit_time=rfc3339(emission.emit_time_us),
        time_s=moment.time_ms / 1000,
        opened_s=task.opened_ms / 1000,
        deadline_s=task.deadline_ms / 1000,
        decision_sequence=moment.sequence,
    )
    cloud_event = CloudEvent(
        id=f"{task.id}.delegation.{spec.created_us}.{event}",  # a task opens once and closes once
        source=session_source(spec.key),
        type=f"vigil.delegation.{event}",
        subject=task.id,
        time=rfc3339(emission.emit_time_us),
        data=data,
        traceparent=emission.traceparent or None,
    )
    return event_outgoing(spec.tenant, subjects.delegation(event, spec.key), cloud_event)
