"""What a settled turn tells the world: its decision, what was said, what became of alerts and delegated questions."""

from collections.abc import Iterable

from vigil.contract.decision import decision_outgoing
from vigil.contract.delegation import task_outgoing
from vigil.contract.events.alerts import SnapshotRef, alert_outgoing
from vigil.contract.events.delegations import TaskMoment, closed_outgoing, delegations_outgoing
from vigil.contract.events.envelope import Emission
from vigil.contract.events.utterances import p_speak_of, utterance_outgoing
from vigil.contract.memory import memory_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.snapshots import snapshot_name, snapshot_ref
from vigil.core.alert import AlertEvent, AlertState
from vigil.core.decide import Settled
from vigil.core.delegation import TaskEnd, request
from vigil.core.session import SessionSpec, SessionState
from vigil.runtime.process.trace import current_traceparent


def snapshots(spec: SessionSpec, settled: Settled) -> tuple[str, ...]:
    """Names under which this turn's picture is to be kept: one for each alert that the model's words opened."""
    return tuple(
        snapshot_name(spec.tenant, event.alert.id) for event in settled.alert_events if event.state is AlertState.OPENED
    )


def outgoing(spec: SessionSpec, settled: Settled, kept: frozenset[str], now_us: int) -> tuple[Outgoing, ...]:
    """The messages of a turn, in the order in which they are stored. `kept` names the pictures that can be fetched."""
    decision = settled.decision
    emission = Emission(decision.capture_time_us, now_us, current_traceparent())
    messages = [decision_outgoing(spec, decision, emit_time_us=now_us, traceparent=emission.traceparent)]
    spoken = utterance_outgoing(spec, decision, emission)
    if spoken is not None:
        messages.append(spoken)
    messages += [
        alert_outgoing(spec, event, p_speak_of(decision), emission, _reference(spec, event, kept))
        for event in settled.alert_events
    ]
    messages += delegations_outgoing(spec, settled, emission)
    if settled.task_opened is not None:
        work = request(spec, settled.state, settled.task_opened, now_us)
        messages.append(task_outgoing(work, emission.traceparent))
    messages += [memory_outgoing(request, emission.traceparent) for request in settled.memory_requests]
    return tuple(messages)


def closing(
    spec: SessionSpec, state: SessionState, events: Iterable[AlertEvent], ends: Iterable[TaskEnd], now_us: int
) -> tuple[Outgoing, ...]:
    """The messages of alerts and of delegated questions that close because their session ended after `state`."""
    emission = Emission(now_us, now_us, current_traceparent())
    alerts = [alert_outgoing(spec, event, None, emission) for event in events]
    moment = TaskMoment(max(state.last_time_ms, 0), state.next_sequence, emission)
    return (*alerts, *(closed_outgoing(spec, end, moment) for end in ends))


def _reference(spec: SessionSpec, event: AlertEvent, kept: frozenset[str]) -> SnapshotRef | None:
    """Where the picture of an alert's opening is. Later events of the alert refer to the same picture."""
    reference = snapshot_ref(spec.tenant, event.alert.id)
    is_missing = event.state is AlertState.OPENED and reference.key not in kept
    return None if is_missing else reference
