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


@pytest.mark.parametrize(
    ("glob", "arguments", "grants"),
    [
        ("*", '{"any": {"thing": [1]}}', True),
        ('{"queue":"lobby"*', '{"queue": "lobby"}', True),
        ('{"queue":"lobby"*', '{"queue": "lobby", "text": "a, b"}', True),
        ('{"queue":"lobby"*', '{"queue": "lobby ", "text": "a"}', False),
        ('{"queue": "lobby", "text": "*"}', '{"queue": "lobby", "text": "It said \\"fire\\"."}', True),
        ('{"queue": "lobby", "text": "*"}', '{"queue": "lobby", "text": "x", "to": "all"}', False),
        ('{"queue": "lobby", "text": "*"}', '{"queue": "lobby", "text": "x\\", \\"to\\": \\"all"}', True),
        ('{"door": ?}', '{"door": 1}', True),
        ('{"door": ?}', '{"door": 12}', False),
        ('{"door": "?"}', '{"door": "\\""}', True),
        ('*"project": "lobby"*', '{"a": 1, "project": "lobby", "z": "x"}', True),
        ('*"project": "lobby"*', '{"note": {"project": "lobby"}, "project": "vault"}', False),
        ('*"project": "lobby"*', '{"note": "\\"project\\": \\"lobby\\"", "project": "vault"}', False),
        ('*"project": "lobby"*', '{"note": "project", "project": "vault"}', False),
        ('{"list": [1, 2]}', '{"list": [1,2]}', True),
        ('{"text": "a b"}', '{"text": "a  b"}', False),
    ],
)
def test_a_star_grants_no_more_than_it_seems_to(glob: str, arguments: str, grants: bool) -> None:
    assert ApprovalPattern("tickets.write", glob).matches("tickets.write", arguments, 0) is grants


def test_no_arguments_take_long_to_compare() -> None:
    pattern = ApprovalPattern("tickets.write", "*a" * 100)
    assert not pattern.matches("tickets.write", "a" * 2_000 + "b", 0)
    pattern = ApprovalPattern("tickets.write", '{"text": "' + "*a" * 90)
    assert not pattern.matches("tickets.write", '{"text": "' + "a" * 2_000 + "b", 0)


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
