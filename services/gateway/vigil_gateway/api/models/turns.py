"""Turns to look at: what was decided, and what the engine was asked."""

from typing import Literal

from pydantic import Field

from vigil_gateway.api.models.base import Out
from vigil_gateway.api.models.history import DecisionOut


class TurnList(Out):
    """Decisions of a session's turns, newest first."""

    session: str
    turns: list[DecisionOut]
    next: int | None = Field(description="Give it as `before` for the turns before these; null: there are none")


class TextPart(Out):
    """Words of a message, exactly."""

    type: Literal["text"] = "text"
    text: str


class ImagePart(Out):
    """A picture of a message. The engine is sent its pixels once, and after that its `uuid`."""

    type: Literal["image"] = "image"
    uuid: str
    width: int
    height: int
    path: str | None = Field(description="Where the picture is to be had on this gateway; null: it is no turn's")


class MessageOut(Out):
    """One message of a prompt."""

    role: str = Field(examples=["system", "user", "assistant"])
    parts: list[TextPart | ImagePart]


class PromptOut(Out):
    """What the engine was asked for a turn, and what it replied."""

    session: str
    sequence: int
    chunk: int = Field(description="Number of the chunk of turns that the prompt shows")
    profile: str = Field(description="Prompt profile, which lays the messages out")
    model: str
    messages: list[MessageOut] = Field(description="The prompt, from its first message to the new turn")
    reply: str = Field(
        description="The model's reply in the control form, as the next prompts of the chunk show it. Of an output "
        "that could not be read it is that of a silent turn."
    )
