"""What brains ask to be allowed, over REST: listed, granted, refused, once or for a pattern."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from vigil_client.options import as_body
from vigil_client.transport import Transport
from vigil_client.values import read

PATH = "/v1/approvals"
PATTERNS = "/v1/approval-patterns"
STATES = ("requested", "granted", "refused", "expired")


@dataclass(frozen=True, slots=True)
class Approval:
    """An action that a brain asks to be allowed: the `tool` that it wants to use, the JSON text of its `arguments`, and
    a `summary` in its words. `state` is requested, granted, refused or expired, which refuses.

    At `expires_at` it is refused by itself. `by` is who decided; `pattern` is the tool of the pattern that granted it.
    """

    id: str
    session: str
    task: str
    tool: str
    arguments: str
    summary: str
    state: str
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    by: str
    pattern: str


@dataclass(frozen=True, slots=True)
class NewPattern:
    """Which later actions are granted by themselves: globs of the JSON text of the arguments and of the tool's name
    (None: the tool that is granted), for `minutes` from now on (None: until it is taken back)."""

    arguments: str
    tool: str | None = None
    minutes: int | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that grants actions by itself, until `expires_at` (None: until it is taken back)."""

    id: str
    tool: str
    arguments: str
    expires_at: datetime | None


class Approvals:
    """The approvals of the tenant whose key the client has. Every call raises what the client's own calls raise; to
    decide takes a key with the role operator."""

    def __init__(self, gateway: Transport) -> None:
        self._gateway = gateway

    async def __call__(self, *, state: str | None = None, session: str | None = None) -> tuple[Approval, ...]:
        """What brains ask to be allowed, the newest first: those in a `state`, or all of the last hour."""
        asked = {name: value for name, value in (("state", state), ("session", session)) if value is not None}
        answer = await self._gateway.call("GET", PATH + (f"?{urlencode(asked)}" if asked else ""))
        return tuple(read(Approval, approval) for approval in read(list[Any], answer.get("approvals")))

    async def grant(self, approval_id: str, pattern: NewPattern | None = None) -> Approval:
        """Allow an action; with a `pattern`, later ones like it, too. The first decision stays: `Invalid` when it was
        refused before or its time is over."""
        body = {"grant": True} | ({} if pattern is None else {"pattern": as_body(pattern)})
        return read(Approval, await self._gateway.call("POST", f"{PATH}/{quote(approval_id, safe='')}", body))

    async def refuse(self, approval_id: str) -> Approval:
        """Refuse an action. The first decision stays: `Invalid` when it was granted before."""
        body = {"grant": False}
        return read(Approval, await self._gateway.call("POST", f"{PATH}/{quote(approval_id, safe='')}", body))

    async def patterns(self) -> tuple[Pattern, ...]:
        """The patterns that grant actions by themselves."""
        answer = await self._gateway.call("GET", PATTERNS)
        return tuple(read(Pattern, pattern) for pattern in read(list[Any], answer.get("patterns")))

    async def remove_pattern(self, pattern_id: str) -> None:
        """Take a pattern back: from now on somebody decides again."""
        await self._gateway.call("DELETE", f"{PATTERNS}/{quote(pattern_id, safe='')}")
