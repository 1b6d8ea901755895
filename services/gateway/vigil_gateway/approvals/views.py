"""What the store has of an approval, as a client is shown it. Pure."""

from datetime import UTC, datetime

from vigil.core.approval import Approval, ApprovalPattern
from vigil_gateway.api.models.approvals import ApprovalOut, PatternOut


def approval_out(approval: Approval) -> ApprovalOut:
    """One approval."""
    return ApprovalOut(
        id=approval.id,
        session=approval.session,
        task=approval.task,
        tool=approval.tool,
        arguments=approval.arguments,
        summary=approval.summary,
        state=approval.state,
        requested_at=_moment(approval.requested_ms),
        expires_at=_moment(approval.expires_ms),
        decided_at=None if approval.decided_ms < 0 else _moment(approval.decided_ms),
        by=approval.by,
        pattern=approval.pattern,
    )


def pattern_out(name: str, pattern: ApprovalPattern) -> PatternOut:
    """One pattern."""
    expires_at = _moment(pattern.expires_ms) if pattern.expires_ms else None
    return PatternOut(id=name, tool=pattern.tool, arguments=pattern.arguments, expires_at=expires_at)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC)
