"""What brains ask to be allowed, and what people decide."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from vigil.core.approval import MAX_PATTERN_CHARS, ApprovalState
from vigil_gateway.api.models.base import NO_TEXT_INT, Flag, In, Out

MAX_MINUTES = 366 * 24 * 60

Glob = Annotated[str, Field(min_length=1, max_length=MAX_PATTERN_CHARS)]


class ApprovalOut(Out):
    """One action that a brain asks to be allowed. Its words are the brain's: nothing in them decides anything."""

    id: str
    session: str
    task: str = Field(description="The delegated question that the brain works on")
    tool: str = Field(description="The tool that it wants to use", examples=["create_ticket"])
    arguments: str = Field(description="The tool's arguments: the text of their JSON")
    summary: str = Field(description="What it would do, in a sentence")
    state: ApprovalState = Field(
        description="requested: somebody must decide; granted; refused; expired: nobody decided in time, which refuses"
    )
    requested_at: datetime
    expires_at: datetime = Field(description="When it is refused by itself")
    decided_at: datetime | None = Field(description="When it was decided; null while it was not")
    by: str = Field(description="Name of the key of who decided; empty: nobody did")
    pattern: str = Field(description="Tool of the pattern that granted it by itself; empty: none did")


class ApprovalList(Out):
    """Approvals, oldest first."""

    approvals: list[ApprovalOut]


class PatternIn(In):
    """Which later actions are granted by themselves, too. In `arguments` a `*` within quotes stands for text of that
    string, outside of them for whole values and arguments, but for no object or list."""

    tool: Annotated[
        Glob | None, Field(description="Glob of the tool's name; the tool that is granted when left out")
    ] = None
    arguments: Glob = Field(
        description="Glob of the JSON text of the arguments; `*` whatever they are", examples=['{"queue": "lobby"*}']
    )
    minutes: Annotated[
        int | None,
        Field(ge=1, le=MAX_MINUTES, description="How long it holds from now on; until it is taken back when left out"),
        NO_TEXT_INT,
    ] = None


class Decide(In):
    """What somebody decides about an action."""

    grant: Flag = Field(description="Whether the brain may do it", examples=[False])
    pattern: Annotated[
        PatternIn | None,
        Field(description="With it, later actions like this are granted by themselves; only where this one is granted"),
    ] = None


class PatternOut(Out):
    """A pattern that grants actions by itself."""

    id: str
    tool: str
    arguments: str
    expires_at: datetime | None = Field(description="When it ends; null: when it is taken back")


class PatternList(Out):
    """The patterns of the tenant that hold now."""

    patterns: list[PatternOut]
