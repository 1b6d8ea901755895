"""What an engine does for the service.

RecognizerError   the engine gave no transcript; `is_transient` says that a later remark may fare better
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from vigil_asr.sound import RemarkSound

MAX_TEXT_CHARS = 4_000  # of one remark; an engine that says more is cut off
MAX_LANGUAGE_CHARS = 40
_UNSAID = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # control characters, halves of characters

Told = Callable[[str], None]
"""Called with all that was understood so far, each time that it changed."""


class RecognizerError(Exception):
    """The engine gave no transcript. `reason` is a word for metrics: unavailable, timeout, refused, garbage;
    `is_of_request` says that it was refused for what it asked for, not for its key or its address."""

    def __init__(self, message: str, *, reason: str, is_transient: bool = False, is_of_request: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.is_transient = is_transient
        self.is_of_request = is_of_request


@dataclass(frozen=True, slots=True)
class Recognized:
    """What was said. `confidence` is 0 to 1, None where the engine tells none; `language` may be empty."""

    text: str
    confidence: float | None = None
    language: str = ""


class Recognizer(Protocol):
    """An engine. It is asked for several remarks at once."""

    @property
    def name(self) -> str:
        """How transcripts call it."""
        ...

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        """Recognize one remark while it is spoken. `language` is a BCP 47 tag, or empty. Returns soon after the
        sound is over, and is cancelled when that takes too long. Raises `RecognizerError`."""
        ...


def bounded(text: str, most_chars: int = MAX_TEXT_CHARS) -> str:
    """The text, no longer than a remark can be, on one line, of characters that can be shown and sent on."""
    return " ".join(_UNSAID.sub(" ", text).split())[:most_chars]
