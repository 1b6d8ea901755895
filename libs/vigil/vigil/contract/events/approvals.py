"""Approvals as events: a brain asks for a side effect; an operator, a pattern or the time decides."""

from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import ApprovalEvent
from vigil.core.approval import Approval


@dataclass(frozen=True, slots=True)
class ApprovalData:
    """The `data` of an approval event. `arguments` is the JSON text of the tool's arguments. `by` is who decided, empty
    until then; `pattern` is the tool glob that granted it, empty when a person decided this one."""

    tenant: str
    session: str
    task: str
    approval: str
    event: str
    tool: str
    arguments: str
    summary: str
    by: str
    pattern: str
    expires: str
    emit_time: str


def approval_outgoing(approval: Approval, at_us: int, traceparent: str = "") -> Outgoing:
    """The stored message of a request as it stands now; each of its states is stored once."""
    event = ApprovalEvent(approval.state)
    when = rfc3339(at_us)
    data = ApprovalData(
        tenant=approval.tenant,
        session=approval.session,
        task=approval.task,
        approval=approval.id,
        event=event,
        tool=approval.tool,
        arguments=approval.arguments,
        summary=approval.summary,
        by=approval.by,
        pattern=approval.pattern,
        expires=rfc3339(approval.expires_ms * 1_000),
        emit_time=when,
    )
    cloud_event = CloudEvent(
        id=f"{approval.id}.approval.{event}",
        source=session_source(approval.key),
        type=f"vigil.approval.{event}",
        subject=approval.id,
        time=when,
        data=data,
        traceparent=traceparent or None,
    )
    return event_outgoing(approval.tenant, subjects.approval(event, approval.key), cloud_event)
