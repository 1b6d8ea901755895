"""What the brains of a tenant ask to be allowed: listed, granted, refused; and the patterns that grant some of it."""

import time
from typing import Annotated

from fastapi import APIRouter, Path, Query, status

from vigil.core.approval import ApprovalState
from vigil_gateway.api.errors import UnknownPattern
from vigil_gateway.api.models.approvals import ApprovalList, ApprovalOut, Decide, PatternList
from vigil_gateway.approvals.deciding import Deciding, decide
from vigil_gateway.approvals.views import approval_out, pattern_out
from vigil_gateway.ports import Holder, PortsOf, Tenant

router = APIRouter(prefix="/v1", tags=["approvals"])

State = Annotated[ApprovalState | None, Query(description="Only approvals that are in this state")]
Session = Annotated[str | None, Query(max_length=256, description="Only approvals of this session")]
ApprovalId = Annotated[str, Path(max_length=256, description="The id of an approval")]
PatternId = Annotated[str, Path(max_length=256, description="The id of a pattern")]


@router.get("/approvals")
async def list_approvals(ports: PortsOf, tenant: Tenant, state: State = None, session: Session = None) -> ApprovalList:
    """What your brains ask to be allowed, the newest first: those that wait for a decision, and those of the last hour.
    Nobody's decision is a refusal."""
    found = await ports.approvals.list(tenant)
    return ApprovalList(
        approvals=[
            approval_out(approval)
            for approval in found
            if state in (None, approval.state) and session in (None, approval.session)
        ]
    )


@router.post("/approvals/{approval}")
async def decide_approval(
    ports: PortsOf, tenant: Tenant, holder: Holder, approval: ApprovalId, body: Decide
) -> ApprovalOut:
    """Grant an action or refuse it, once; with a `pattern`, later ones like it are granted by themselves, too. The
    first decision stays."""
    who = Deciding(tenant, approval, holder.name or holder.id)
    return approval_out(await decide(ports, who, body))


@router.get("/approval-patterns")
async def list_patterns(ports: PortsOf, tenant: Tenant) -> PatternList:
    """The patterns that grant actions by themselves, those that end first at the end."""
    found = await ports.approvals.patterns(tenant)
    now_ms = time.time_ns() // 1_000_000
    held = [(name, pattern) for name, pattern in found.items() if not 0 < pattern.expires_ms <= now_ms]
    held.sort(key=lambda named: (named[1].expires_ms > 0, -named[1].expires_ms, named[0]))
    return PatternList(patterns=[pattern_out(name, pattern) for name, pattern in held])


@router.delete("/approval-patterns/{pattern}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_pattern(ports: PortsOf, tenant: Tenant, pattern: PatternId) -> None:
    """Take a pattern back: from now on somebody decides again."""
    if not await ports.approvals.drop_pattern(tenant, pattern):
        raise UnknownPattern(pattern)
