"""What a prompt is made of: messages of text and pictures."""

from dataclasses import dataclass

from vigil.core.turn import FrameRef


@dataclass(frozen=True, slots=True)
class Text:
    """A text part of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture part of a message, by reference."""

    ref: FrameRef


Parts = tuple[Text | Image, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message; an assistant or system message has a single text part."""

    role: str
    parts: Parts
