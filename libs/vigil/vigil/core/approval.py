"""Approvals: a brain that wants a side effect asks, and an operator grants or refuses. Pure.

Nothing that was read from a camera, and nothing that a brain returned, can grant one: only who has the role at the
gateway, once or for a pattern. What nobody decided in time is refused.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise

from vigil.core.errors import InvalidSpec
from vigil.core.ids import SessionKey

MAX_PATTERN_CHARS = 200
MAX_ARGUMENTS_CHARS = 2_000
MAX_SUMMARY_CHARS = 500


_STRING = r'"(?:[^"\\]|\\.)*"'
_SPACE = re.compile(rf"({_STRING})|\s+")
_IN_STRING = r'(?:[^"\\]|\\.)'
_OUTSIDE = rf'(?:[^"{{}}\[\]]|{_STRING})'


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
        if is_over or not fnmatchcase(tool, self.tool):
            return False
        return self.arguments == "*" or _arguments(self.arguments).fullmatch(_compact(arguments)) is not None


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


@lru_cache(maxsize=1_024)
def _arguments(glob: str) -> re.Pattern[str]:
    """What the JSON text of a tool's arguments must be, without the white space between its values.

    A brain that was talked into something chooses the arguments, so a star never grants more than it seems to: within
    quotes it stands for text of that one string, outside of them for whole values and arguments, but for no object or
    list within them.
    """
    pieces: list[str] = []
    in_string = escaped = False
    glob = _compact(glob)
    for character in glob:
        one = _IN_STRING if in_string else _OUTSIDE
        if character == "*":
            pieces.append(f"{one}*?")
        elif character == "?":
            pieces.append(one)
        else:
            pieces.append(re.escape(character))
        in_string ^= character == '"' and not escaped
        escaped = character == "\\" and not escaped
    opening = r"\{?" if glob.startswith("*") else ""
    closing = r"\}?" if glob.endswith("*") and not in_string else ""
    return re.compile(f"{opening}{_atomic(pieces)}{closing}", re.DOTALL)


def _atomic(pieces: list[str]) -> str:
    """Each star takes as little as it can and never more later on, so that no text takes long."""
    stars = [place for place, piece in enumerate(pieces) if piece.endswith("*?")]
    if not stars:
        return "".join(pieces)
    parts = ["".join(pieces[: stars[0]])]
    for place, after in pairwise([*stars, len(pieces)]):
        fixed = "".join(pieces[place + 1 : after])
        is_last = after == len(pieces)
        parts.append(f"{pieces[place]}{fixed}" if is_last else f"(?>{pieces[place]}{fixed})")
    return "".join(parts)


def _compact(arguments: str) -> str:
    """JSON text, or a glob of it, without the white space outside of its strings."""
    return _SPACE.sub(r"\1", arguments)
