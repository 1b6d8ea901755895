"""Which pattern grants which action."""

import pytest

from vigil.core.approval import ApprovalPattern, ApprovalState, granting
from vigil.core.errors import InvalidSpec

TICKETS = ApprovalPattern("tickets.*", '*"project": "lobby"*')


@pytest.mark.parametrize(
    ("tool", "arguments", "grants"),
    [
        ("tickets.write", '{"project": "lobby"}', True),
        ("tickets.write", '{"project": "vault"}', False),
        ("door.open", '{"project": "lobby"}', False),
        ("TICKETS.write", '{"project": "lobby"}', False),
    ],
)
def test_a_pattern_grants_what_it_matches(tool: str, arguments: str, grants: bool) -> None:
    assert (granting([TICKETS], tool, arguments, 0) is TICKETS) == grants


def test_a_pattern_grants_nothing_once_its_time_is_over() -> None:
    short = ApprovalPattern("tickets.*", expires_ms=1_000)
    assert granting([short], "tickets.write", "{}", 999) is short
    assert granting([short], "tickets.write", "{}", 1_000) is None


@pytest.mark.parametrize("tool", ["", "*", "**", "?*", "x" * 201])
def test_a_pattern_names_a_tool(tool: str) -> None:
    with pytest.raises(InvalidSpec, match="pattern"):
        ApprovalPattern(tool)


def test_what_was_decided_stays() -> None:
    assert [state for state in ApprovalState if not state.is_decided] == [ApprovalState.REQUESTED]
