"""Approvals: the first decision stays, no decision is a refusal, a pattern grants by itself."""

import pytest
from redis.asyncio import Redis

from vigil.core.approval import Approval, ApprovalPattern, ApprovalState
from vigil.core.errors import InvalidSpec
from vigil.core.ids import SessionKey
from vigil.runtime.store.approvals import ApprovalStore
from vigil.runtime.store.bounds import MAX_APPROVALS, MAX_GRANTS

KEY = SessionKey("demo", "s-1")
TICKET = Approval("", "demo", "s-1", "s-1-0", "tickets.write", '{"title": "Fire"}', "Write a ticket.")


@pytest.fixture
def approvals(redis: Redis) -> ApprovalStore:
    return ApprovalStore(redis)


async def test_a_request_waits_until_an_operator_grants_it(approvals: ApprovalStore) -> None:
    asked = await approvals.request(TICKET, timeout_s=60.0)
    assert (asked.state, asked.expires_ms - asked.requested_ms) == (ApprovalState.REQUESTED, 60_000)
    assert await approvals.list("demo") == (asked,)
    assert await approvals.find("demo", asked.id) == asked
    decided = await approvals.decide(KEY, asked.id, granted=True, by="ann")
    assert decided is not None
    assert (decided.state, decided.by) == (ApprovalState.GRANTED, "ann")
    assert await approvals.wait(KEY, asked.id) is ApprovalState.GRANTED


async def test_the_first_decision_stays(approvals: ApprovalStore) -> None:
    asked = await approvals.request(TICKET)
    await approvals.decide(KEY, asked.id, granted=False, by="ann")
    later = await approvals.decide(KEY, asked.id, granted=True, by="bob")
    assert later is not None
    assert (later.state, later.by) == (ApprovalState.REFUSED, "ann")


async def test_what_nobody_decides_is_refused_in_time(approvals: ApprovalStore) -> None:
    asked = await approvals.request(TICKET, timeout_s=0.05)
    assert await approvals.wait(KEY, asked.id) is ApprovalState.EXPIRED
    late = await approvals.decide(KEY, asked.id, granted=True, by="ann")
    assert late is not None
    assert late.state is ApprovalState.EXPIRED


async def test_a_pattern_grants_what_comes_later_and_only_in_its_tenant(approvals: ApprovalStore) -> None:
    first = await approvals.request(TICKET)
    await approvals.decide(KEY, first.id, granted=True, by="ann", pattern=ApprovalPattern("tickets.*"))
    second = await approvals.request(TICKET)
    assert (second.state, second.pattern) == (ApprovalState.GRANTED, "tickets.*")
    stranger = Approval("", "rival", "s-9", "s-9-0", "tickets.write", "{}", "Write a ticket.")
    assert (await approvals.request(stranger)).state is ApprovalState.REQUESTED
    (name,) = await approvals.patterns("demo")
    assert await approvals.drop_pattern("demo", name)
    assert (await approvals.request(TICKET)).state is ApprovalState.REQUESTED


async def test_a_refusal_makes_no_pattern(approvals: ApprovalStore) -> None:
    asked = await approvals.request(TICKET)
    await approvals.decide(KEY, asked.id, granted=False, by="ann", pattern=ApprovalPattern("tickets.*"))
    assert await approvals.patterns("demo") == {}


async def test_patterns_and_requests_are_bounded(approvals: ApprovalStore) -> None:
    for _ in range(MAX_GRANTS):
        asked = await approvals.request(TICKET)
        await approvals.decide(KEY, asked.id, granted=True, by="ann", pattern=ApprovalPattern("doors.*"))
    asked = await approvals.request(TICKET)
    with pytest.raises(InvalidSpec, match="take one back"):
        await approvals.decide(KEY, asked.id, granted=True, by="ann", pattern=ApprovalPattern("doors.*"))
    assert (await approvals.find("demo", asked.id)) == asked
    for _ in range(MAX_APPROVALS):
        await approvals.request(TICKET)
    assert len(await approvals.list("demo")) == MAX_APPROVALS


async def test_there_is_no_deciding_what_was_not_asked(approvals: ApprovalStore) -> None:
    assert await approvals.decide(KEY, "nothing", granted=True, by="ann") is None
    assert await approvals.wait(KEY, "nothing") is ApprovalState.EXPIRED
