"""What brains ask to be allowed: granted or refused once, by whom, heard by every subscriber, and only for who may."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.api_keys import ApiKey, KeyRole, digest_of, encode_keys
from vigil.contract.streams import APPROVALS, AUDIT
from vigil.core.approval import Approval, ApprovalState
from vigil.core.errors import InvalidSpec
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.store.approvals import ApprovalStore
from vigil.testing.eventually import eventually
from vigil_gateway.api.models.approvals import PatternIn
from vigil_gateway.approvals.deciding import pattern_of

Json = dict[str, Any]
TICKET = '{"queue":"lobby","text":"A fire [1]*"}'


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    """Keys of demo by role, and an administrator's of another tenant."""
    path = tmp_path / "keys.json"
    keys = [
        ApiKey(digest_of("a-key-of-demo"), "demo", KeyRole.OPERATOR, "Ann"),
        ApiKey(digest_of("a-key-of-viewer"), "demo", KeyRole.VIEWER, "wall"),
        ApiKey(digest_of("a-key-of-rival"), "rival", KeyRole.ADMIN, "Rival"),
    ]
    path.write_bytes(encode_keys(keys))
    return path


@pytest.fixture
def approvals(redis: Redis) -> ApprovalStore:
    """The store as a brain sees it."""
    return ApprovalStore(redis)


async def asked(
    approvals: ApprovalStore, session: str = "s-1", timeout_s: float = 300.0, arguments: str = TICKET
) -> Approval:
    """What a brain does that wants to act."""
    task = f"{session}-4"
    wanted = Approval("", "demo", session, task, "open_ticket", arguments, "Opens a ticket.")
    return await approvals.request(wanted, timeout_s)


async def listed(http: aiohttp.ClientSession, **query: str) -> list[Json]:
    async with http.get("/v1/approvals", params=query) as answered:
        found: Json = await answered.json()
        assert answered.status == 200, found
        return list(found["approvals"])


async def decide(http: aiohttp.ClientSession, approval: str, status: int = 200, **body: Any) -> Json:
    async with http.post(f"/v1/approvals/{approval}", json=body) as answered:
        found: Json = await answered.json()
        assert answered.status == status, found
        return found


async def patterns(http: aiohttp.ClientSession) -> list[Json]:
    async with http.get("/v1/approval-patterns") as answered:
        return list((await answered.json())["patterns"])


async def stored(bus: Bus) -> list[Json]:
    """The approval events of the tenant demo."""
    page = await bus.stored(APPROVALS, subjects.approvals_of_tenant("demo"), 1, 100)
    return [json.loads(message.payload) for message in page.messages]


async def test_what_a_brain_asks_is_listed_the_newest_first(
    viewer: aiohttp.ClientSession, rival: aiohttp.ClientSession, approvals: ApprovalStore
) -> None:
    first, second = await asked(approvals), await asked(approvals, "s-2")
    rows = await listed(viewer)
    assert {row["id"] for row in rows} == {first.id, second.id}
    assert [row["requested_at"] for row in rows] == sorted((row["requested_at"] for row in rows), reverse=True)
    (row,) = await listed(viewer, session="s-1", state="requested")
    begun = datetime.fromtimestamp(first.requested_ms / 1_000, UTC)
    assert row == {
        "id": first.id,
        "session": "s-1",
        "task": "s-1-4",
        "tool": "open_ticket",
        "arguments": TICKET,
        "summary": "Opens a ticket.",
        "state": "requested",
        "requested_at": begun.isoformat().replace("+00:00", "Z"),
        "expires_at": (begun + timedelta(seconds=300)).isoformat().replace("+00:00", "Z"),
        "decided_at": None,
        "by": "",
        "pattern": "",
    }
    assert await listed(viewer, state="granted") == []
    assert await listed(rival) == []


@pytest.mark.parametrize(("grant", "state"), [(True, "granted"), (False, "refused")])
async def test_the_first_decision_stays_and_is_told_once(
    http: aiohttp.ClientSession, approvals: ApprovalStore, bus: Bus, grant: bool, state: str
) -> None:
    approval = await asked(approvals)
    waiting = asyncio.create_task(approvals.wait(approval.key, approval.id))
    decided = await decide(http, approval.id, grant=grant)
    assert (decided["state"], decided["by"], decided["decided_at"] is None) == (state, "Ann", False)
    assert await asyncio.wait_for(waiting, 10) is ApprovalState(state)
    assert await decide(http, approval.id, grant=grant) == decided
    problem = await decide(http, approval.id, 409, grant=not grant)
    assert problem["type"] == "urn:vigil:problem:approval_decided", problem
    assert problem["detail"] == f"the approval '{approval.id}' was {state} by Ann before"
    (event,) = await stored(bus)
    assert (event["type"], event["data"]["by"], event["data"]["tool"]) == (
        f"vigil.approval.{state}",
        "Ann",
        "open_ticket",
    )


async def test_what_nobody_decided_in_time_is_refused(http: aiohttp.ClientSession, approvals: ApprovalStore) -> None:
    approval = await asked(approvals, timeout_s=0.0)
    problem = await decide(http, approval.id, 409, grant=True)
    assert problem["detail"] == f"the time of the approval '{approval.id}' is over: it was refused by itself"
    assert [row["state"] for row in await listed(http)] == ["expired"]


async def test_only_an_operator_of_the_tenant_decides(
    viewer: aiohttp.ClientSession, rival: aiohttp.ClientSession, http: aiohttp.ClientSession, approvals: ApprovalStore
) -> None:
    approval = await asked(approvals)
    assert (await decide(viewer, approval.id, 403, grant=True))["type"] == "urn:vigil:problem:role_too_low"
    theirs = await decide(rival, approval.id, 404, grant=True)
    assert theirs["type"] == "urn:vigil:problem:unknown_approval"
    assert (await decide(http, "nothing", 404, grant=True))["type"] == theirs["type"]
    found = await approvals.get(SessionKey("demo", "s-1"), approval.id)
    assert found is not None
    assert found.state is ApprovalState.REQUESTED


async def test_a_pattern_grants_later_ones_until_it_is_taken_back(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, approvals: ApprovalStore
) -> None:
    approval = await asked(approvals)
    await decide(http, approval.id, grant=True, pattern={"arguments": '{"queue":"lobby"*', "minutes": 60})
    (pattern,) = await patterns(http)
    assert (pattern["tool"], pattern["arguments"]) == ("open_ticket", '{"queue":"lobby"*')
    ends = datetime.fromisoformat(pattern["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=58) < ends <= timedelta(minutes=60)
    later = await asked(approvals, "s-2")
    assert (later.state, later.pattern) == (ApprovalState.GRANTED, "open_ticket")
    other = await asked(approvals, arguments='{"queue":"yard"}')
    assert other.state is ApprovalState.REQUESTED
    assert await patterns(rival) == []
    for client, status in ((rival, 404), (http, 204), (http, 404)):
        async with client.delete(f"/v1/approval-patterns/{pattern['id']}") as answered:
            assert answered.status == status
    assert (await asked(approvals)).state is ApprovalState.REQUESTED


async def test_a_pattern_goes_with_no_refusal_and_not_for_every_tool(
    http: aiohttp.ClientSession, approvals: ApprovalStore
) -> None:
    approval = await asked(approvals)
    problem = await decide(http, approval.id, 422, grant=False, pattern={"arguments": "*"})
    assert problem["type"] == "urn:vigil:problem:pattern_with_refusal"
    problem = await decide(http, approval.id, 422, grant=True, pattern={"arguments": "*", "tool": "*"})
    assert "every tool" in problem["detail"]
    assert [row["state"] for row in await listed(http)] == ["requested"]


async def test_a_decision_is_in_the_audit_with_its_session(
    http: aiohttp.ClientSession, approvals: ApprovalStore, bus: Bus
) -> None:
    approval = await asked(approvals)
    await decide(http, approval.id, grant=False)

    async def recorded() -> bool:
        page = await bus.stored(AUDIT, subjects.audit("demo"), 1, 100)
        entries = [json.loads(message.payload)["data"] for message in page.messages]
        return [(entry["route"], entry["session"], entry["status"]) for entry in entries] == [
            ("/v1/approvals/{approval}", "s-1", 200)
        ]

    await eventually(recorded, what="the decision is in the audit")


@pytest.mark.parametrize(
    ("given", "tool", "expected"),
    [
        (PatternIn(arguments="*"), "open_ticket", ("open_ticket", "*", 0)),
        (PatternIn(arguments="*"), "odd[1]*", ("odd[[]1][*]", "*", 0)),
        (PatternIn(arguments="{}", tool="mail_*", minutes=2), "open_ticket", ("mail_*", "{}", 121_000)),
    ],
)
def test_a_pattern_is_of_the_very_tool_where_it_names_none(
    given: PatternIn, tool: str, expected: tuple[str, str, int]
) -> None:
    pattern = pattern_of(given, tool, at_us=1_000_000)
    assert (pattern.tool, pattern.arguments, pattern.expires_ms) == expected


def test_a_pattern_for_a_tool_with_a_very_long_name_is_refused_in_words() -> None:
    with pytest.raises(InvalidSpec, match="the pattern's tool"):
        pattern_of(PatternIn(arguments="*"), "x" * 300, at_us=0)
