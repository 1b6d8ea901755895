"""Approvals: a brain that wants a side effect asks, and an operator grants or refuses. Pure.

Nothing that was read from a camera, and nothing that a brain returned, can grant one: only who has the role at the
gateway, once or for a pattern. What nobody decided in time is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from vigil.core.errors import InvalidSpec
from vigil.core.ids import SessionKey

MAX_PATTERN_CHARS = 200
MAX_ARGUMENTS_CHARS = 2_000
MAX_SUMMARY_CHARS = 500


class ApprovalState(StrEnum):
    """What became of a request."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    EXPIRED = "expired"  # nobody decided in time: that is a refusal

    @property
    def is_decided(self) -> bool:
        """Whether nothing changes about it any more."""
        return self is not ApprovalState.REQUESTED


@dataclass(frozen=True, slots=True)
class ApprovalPattern:
    """Grants by itself what it matches: `tool` and `arguments` are globs (`*`, `?`, `[…]`) of the tool's name and of
    the JSON text of its arguments. `expires_ms` is in milliseconds since the epoch; 0: until it is removed."""

    tool: str
    arguments: str = "*"
    expires_ms: int = 0

    def __post_init__(self) -> None:
        for name, glob in (("tool", self.tool), ("arguments", self.arguments)):
            if not 1 <= len(glob) <= MAX_PATTERN_CHARS:
                raise InvalidSpec(f"the pattern's {name} has {len(glob)} characters: give 1 to {MAX_PATTERN_CHARS}")
        if not self.tool.strip("*?"):
            raise InvalidSpec("the pattern would grant every tool: name the tool, or a part of its name")

    def matches(self, tool: str, arguments: str, now_ms: int) -> bool:
        """Whether it grants this action now."""
        is_over = 0 < self.expires_ms <= now_ms
        return not is_over and fnmatchcase(tool, self.tool) and fnmatchcase(arguments, self.arguments)


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for one action. `arguments` is the JSON text of the tool's arguments, `summary` a sentence for people.

    `by` is who decided; `pattern` is the tool glob of the pattern that granted it, empty when a person decided this
    one. Times are in milliseconds since the epoch; `decided_ms` is -1 until then.
    """

    id: str
    tenant: str
    session: str
    task: str
    tool: str
    arguments: str
    summary: str
    state: ApprovalState = ApprovalState.REQUESTED
    requested_ms: int = 0
    expires_ms: int = 0
    decided_ms: int = -1
    by: str = ""
    pattern: str = ""

    @property
    def key(self) -> SessionKey:
        """The key of its session."""
        return SessionKey(self.tenant, self.session)


def granting(patterns: Iterable[ApprovalPattern], tool: str, arguments: str, now_ms: int) -> ApprovalPattern | None:
    """The first of the patterns that grants the action; None when an operator must decide."""
    return next((pattern for pattern in patterns if pattern.matches(tool, arguments, now_ms)), None)
