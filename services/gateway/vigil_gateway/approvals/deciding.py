"""An operator grants or refuses what a brain asks for; the first decision stays, and every subscriber hears of it."""

import glob
from dataclasses import dataclass

from vigil.contract.events.approvals import approval_outgoing
from vigil.core.approval import Approval, ApprovalPattern, ApprovalState
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import current_traceparent
from vigil.runtime.session.lifecycle import now_us
from vigil_gateway import metrics
from vigil_gateway.api.errors import ApprovalDecided, PatternWithRefusal, UnknownApproval
from vigil_gateway.api.models.approvals import Decide, PatternIn
from vigil_gateway.audit.noted import note_session
from vigil_gateway.ports import Ports

log = get_log()

_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Deciding:
    """Who decides about which approval."""

    tenant: str
    approval: str
    by: str


async def decide(ports: Ports, who: Deciding, body: Decide) -> Approval:
    """The approval as it was decided. To say the same again changes nothing.

    Raises `UnknownApproval`; `ApprovalDecided` where the other was decided, or its time is over; `PatternWithRefusal`,
    `InvalidSpec`, and what the ports raise.
    """
    if body.pattern is not None and not body.grant:
        raise PatternWithRefusal
    asked = await ports.approvals.find(who.tenant, who.approval)
    if asked is None:
        raise UnknownApproval(who.approval)
    note_session(asked.session)
    pattern = None if body.pattern is None else pattern_of(body.pattern, asked.tool, now_us())
    decided = await ports.approvals.decide(asked.key, asked.id, granted=body.grant, by=who.by, pattern=pattern)
    if decided is None:
        raise UnknownApproval(who.approval)
    wanted = ApprovalState.GRANTED if body.grant else ApprovalState.REFUSED
    if decided.state is not wanted:
        metrics.APPROVALS.labels("too_late").inc()
        raise ApprovalDecided(decided)
    await ports.bus.publish_stored(approval_outgoing(decided, now_us(), current_traceparent()))
    if not asked.state.is_decided:
        metrics.APPROVALS.labels(decided.state).inc()
        log.info("approval decided", approval=decided.id, state=decided.state, by=who.by, tool=decided.tool)
    return decided


def pattern_of(given: PatternIn, tool: str, at_us: int) -> ApprovalPattern:
    """The pattern that a request asks for: of this very tool, where it names none. Raises `InvalidSpec`."""
    expires_us = 0 if given.minutes is None else at_us + given.minutes * _MINUTE_US
    return ApprovalPattern(given.tool or glob.escape(tool), given.arguments, expires_us // 1_000)
