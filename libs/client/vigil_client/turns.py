"""Turns of a session to look back at, as frozen values: what was decided, and what the engine was asked."""

from dataclasses import dataclass

from vigil_client.events import Decision


@dataclass(frozen=True, slots=True)
class TurnPage:
    """Decisions of a session's turns, newest first. `next`, where it is not None, is the `before` of earlier ones."""

    session: str
    turns: tuple[Decision, ...]
    next: int | None


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A part of a message: of `type` text its words, of `type` image a picture by its `uuid`, in pixels. `path` is
    where the picture is to be had on the gateway; None: it is no turn's."""

    type: str
    text: str = ""
    uuid: str = ""
    width: int = 0
    height: int = 0
    path: str | None = None


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of a prompt; `role` is system, user or assistant."""

    role: str
    parts: tuple[PromptPart, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that the engine was sent for a turn, and the reply in the control form. `chunk` numbers the chunk of turns
    that it shows."""

    session: str
    sequence: int
    chunk: int
    profile: str
    model: str
    messages: tuple[PromptMessage, ...]
    reply: str
