"""What workers would publish of a session on the camera `lobby`: decisions, an alert, a delegation, a brain's words."""

from vigil.contract.decision import decision_outgoing
from vigil.contract.events.alerts import alert_outgoing
from vigil.contract.events.approvals import approval_outgoing
from vigil.contract.events.delegations import TaskMoment, closed_outgoing
from vigil.contract.events.envelope import Emission
from vigil.contract.events.tasks import TaskNews, news_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.alert import Moment, advance
from vigil.core.approval import Approval
from vigil.core.control import Action, Output
from vigil.core.decide import Completion, Decision
from vigil.core.delegation import TaskEnd, TaskOutcome
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.probability import Probabilities
from vigil.core.session import SessionSpec
from vigil.core.source import Source, SourceKind
from vigil.core.task import TaskState
from vigil.core.turn import Result, Task
from vigil.runtime.bus.client import Bus
from vigil.testing.delegated import request_of

EMISSION = Emission(1_700_000_000_000_000, 1_700_000_000_250_000)


def spec(session: str) -> SessionSpec:
    """The session of the tenant demo."""
    return SessionSpec(
        "demo", session, Source("lobby", SourceKind.RTSP, "rtsp://camera.local"), "vigil-small", "vigil-small"
    )


def decision(sequence: int, text: str = "") -> Decision:
    """The decision of that turn: to say `text`, or to stay silent."""
    output = Output(Action.SPEAK, text) if text else Output(Action.SILENT)
    completion = Completion("", {}, prompt_tokens=90, cached_tokens=80, request_bytes=2_000, engine_ms=70.0)
    p = Probabilities(0.9, 0.08, 0.02)
    return Decision(sequence, sequence * 1_000, EMISSION.capture_time_us, output, p, completion, 0, 1.0)


def decided(session: str, sequence: int, text: str = "") -> Outgoing:
    """The stored message of a decision."""
    return decision_outgoing(spec(session), decision(sequence, text), emit_time_us=EMISSION.emit_time_us)


def alert(session: str) -> Outgoing:
    """The stored message of an alert that has just opened."""
    watch = Instruction("w-1", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL))
    moment = Moment(session, 4, 4_000, EMISSION.capture_time_us)
    _, (opened,) = advance((), (watch,), moment, {watch.id: "Fire!"})
    return alert_outgoing(spec(session), opened, 0.9, EMISSION)


def delegation(session: str) -> Outgoing:
    """The stored message of a delegated question that was just answered."""
    task = Task(f"{session}-4", "Which flower is it?", "Let me see.", 4_000, 124_000)
    end = TaskEnd(task, TaskOutcome.ANSWERED, Result(task.id, "A rose."))
    return closed_outgoing(spec(session), end, TaskMoment(6_000, 6, EMISSION))


def started(session: str) -> Outgoing:
    """The stored message of a brain that begins to work on that question."""
    news = TaskNews(DelegationEvent.STARTED, TaskState.RUNNING, EMISSION.emit_time_us, brain="big")
    return news_outgoing(request_of(session), news)


def approval(session: str) -> Outgoing:
    """The stored message of a brain that asks to be allowed an action."""
    asked = Approval("p-1", "demo", session, f"{session}-4", "open_ticket", '{"queue":"lobby"}', "Opens a ticket.")
    return approval_outgoing(asked, EMISSION.emit_time_us)


async def decide_quickly(bus: Bus, session: str, count: int, text: str) -> None:
    """Publish so many decisions, from sequence 0 on, as fast as they go: not stored, and only for who listens."""
    for sequence in range(count):
        outgoing = decided(session, sequence, text)
        await bus.publish(outgoing.subject, outgoing.payload)
        if sequence % 200 == 0:
            await bus.ping()
