"""Asks for approvals: a brain wants a side effect, and waits for an operator's decision.

Whatever a camera showed or a brain wrote, the answer comes from the store of approvals and from nowhere else.
"""

import json
from dataclasses import replace

from vigil.contract.events.approvals import approval_outgoing
from vigil.core.approval import MAX_ARGUMENTS_CHARS, MAX_SUMMARY_CHARS, Approval, ApprovalState
from vigil.core.task import TaskRequest
from vigil.runtime.errors import BusError, StoreError
from vigil.runtime.process.cancellation import to_the_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import current_traceparent
from vigil_brain import metrics
from vigil_brain.brains.port import Action
from vigil_brain.digest import digest
from vigil_brain.ports import Ports

log = get_log()

MAX_TOOL_CHARS = 200


async def approve(ports: Ports, request: TaskRequest, action: Action) -> bool:
    """Whether an operator, or a pattern of one, grants the action. False when nobody decided in time, when the action
    cannot be shown whole, and while the store is away."""
    try:
        arguments = json.dumps(action.arguments, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return _refused(request, action, "its arguments are not JSON")
    if len(arguments) > MAX_ARGUMENTS_CHARS or not 0 < len(action.tool) <= MAX_TOOL_CHARS:
        return _refused(request, action, "it is too long to be shown whole to an operator")
    wanted = Approval(
        id="",
        tenant=request.tenant,
        session=request.session,
        task=request.task,
        tool=action.tool,
        arguments=arguments.encode("utf-8", "replace").decode(),
        summary=digest(action.summary, MAX_SUMMARY_CHARS),
    )
    left_s = max(0.0, (request.expires_us - ports.now_us()) / 1e6)
    try:
        asked = await ports.approvals.request(wanted, min(ports.approval_timeout_s, left_s))
        await _tell(ports, asked)
        state = await _decided(ports, asked)
    except StoreError as error:
        return _refused(request, action, str(error))
    metrics.APPROVALS.labels(state).inc()
    log.info("approval decided", task=request.task, session=request.session, tool=action.tool, decision=state)
    return state is ApprovalState.GRANTED


async def _decided(ports: Ports, asked: Approval) -> ApprovalState:
    """Wait for the decision. Without a brain that waits, the request is withdrawn: nothing would come of a grant."""
    if asked.state.is_decided:
        return asked.state
    try:
        state = await ports.approvals.wait(asked.key, asked.id)
    except BaseException:
        await to_the_end(_withdraw(ports, asked))
        raise
    if state is ApprovalState.EXPIRED:
        await _tell(ports, replace(asked, state=state))
    return state


async def _withdraw(ports: Ports, asked: Approval) -> None:
    try:
        decided = await ports.approvals.decide(asked.key, asked.id, granted=False, by="the task is over")
    except StoreError:
        return
    if decided is not None and decided.state is ApprovalState.REFUSED:
        await _tell(ports, decided)


async def _tell(ports: Ports, approval: Approval) -> None:
    """Tell it on the bus. Without NATS the request still stands in the store, where operators see it."""
    try:
        await ports.bus.publish_stored(approval_outgoing(approval, ports.now_us(), current_traceparent()))
    except BusError as error:
        metrics.EVENTS_DROPPED.labels(f"approval_{approval.state}").inc()
        log.warning("approval event not stored", approval=approval.id, reason=str(error))


def _refused(request: TaskRequest, action: Action, why: str) -> bool:
    metrics.APPROVALS.labels(ApprovalState.REFUSED).inc()
    log.warning("approval refused", task=request.task, session=request.session, tool=action.tool[:80], reason=why)
    return False
