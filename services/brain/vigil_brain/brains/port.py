"""The port of all brains: a delegated question goes in, an answer with its artefacts comes out.

A brain works on one task at a time in each call of `solve` and keeps nothing between calls. Cancelling the call cancels
the work within a second, also at the other end: the remote task is cancelled, the whole process group is killed.

Everything a brain returns is untrusted text. So is the text in the pictures and memory that it was given: neither can
grant an approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

MAX_READ_BYTES = 32 * 1024 * 1024  # of a brain's output in all; the rest is cut, and the answer says so


@dataclass(frozen=True, slots=True)
class Picture:
    """A key frame: its model time in milliseconds, and its JPEG."""

    time_ms: int
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrainTask:
    """A delegated question with its bounded snapshot.

    `note` is what the model said when it delegated. `language` is that of the session (`en`, `zh`), or empty.
    `instructions` are the standing instructions of the session, `memory` its memory as text, both may be empty.
    `pictures` are in order of time. After `deadline_s` seconds nobody waits for the answer any more. `prompt` takes the
    place of the brain's own system prompt (`vigil_brain/prompts`) when it is not empty.
    """

    id: str
    question: str
    note: str = ""
    language: str = ""
    instructions: tuple[str, ...] = ()
    memory: str = ""
    pictures: tuple[Picture, ...] = ()
    deadline_s: float = 120.0
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A side effect that a brain asks for: the tool's name, its arguments, and one plain sentence for the operator."""

    tool: str
    arguments: Mapping[str, Any]
    summary: str


@dataclass(frozen=True, slots=True)
class ArtefactContent:
    """A file that a brain made. `media_type` is what the brain says: nobody has compared it with the bytes."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a brain found: plain text or Markdown, and files. Whoever shows it makes a digest of the text first.

    `was_cut` says that the brain had more output than is read, and that the rest was let go: the text says so, too.
    """

    text: str
    artefacts: tuple[ArtefactContent, ...] = ()
    was_cut: bool = False


class Told(Protocol):
    """Whom a brain tells how its work goes, and whom it asks before a side effect."""

    async def progress(self, text: str) -> None:
        """Say what the brain does at the moment, in a few words. Never raises: progress may be dropped."""
        ...

    async def approve(self, action: Action) -> bool:
        """Ask an operator for this action and wait for the decision. False when refused, or when nobody decided."""
        ...


class Brain(Protocol):
    """Answers delegated questions. Several calls may run at once."""

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        """Answer the question of `task`. Raises `BrainError`; cancelling the call cancels the work."""
        ...


class BrainError(Exception):
    """A brain gave no answer. `reason` says what was wrong and what to do, in one plain sentence without secrets;
    `is_transient` says that the same task may succeed when it is tried again."""

    def __init__(self, reason: str, *, is_transient: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_transient = is_transient
