"""Whether and how what a session says is spoken aloud. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from vigil.core.bounds import Bounds
from vigil.core.errors import InvalidSpec
from vigil.core.hearing import check_language

SPEED = Bounds(0.5, 2, "times the usual speed")
VOICE_NAME_PATTERN = r"(\w[\w +-]*([.:/][\w +-]+)*)?"
"""No path to a file and no address: an engine may open what it is given for a voice."""
MAX_VOICE_NAME_CHARS = 100


class SpeechKind(StrEnum):
    """What is spoken: it says what goes before what."""

    ORDINARY = "ordinary"  # text only while something is being spoken
    ANSWER = "answer"  # to a question of a user: one may wait
    ANNOUNCEMENT = "announcement"  # of an operator: it may wait as an answer does
    CRITICAL_ALERT = "critical_alert"  # it interrupts


class SpeechCause(StrEnum):
    """Why something was not spoken, or not to its end."""

    NONE = ""  # it was spoken
    SPEAKING = "speaking"  # something else was being spoken
    QUEUE_FULL = "queue_full"  # one thing waits at most: something newer or more urgent does
    TOO_OLD = "too_old"
    USER_SPOKE = "user_spoke"
    CRITICAL_ALERT = "critical_alert"  # one interrupted it
    ENGINE = "engine"  # no sound came
    TURNED_OFF = "turned_off"  # the session is not to speak aloud any more
    SESSION_OVER = "session_over"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a session speaks. With `is_on` it needs a worker that speaks.

    `name` is one of the voices that the workers have; empty: their usual one. `language` is what the words are in, as
    BCP 47 writes it; empty: the voice's.
    """

    is_on: bool = False
    name: str = ""
    speed: float = 1.0
    language: str = ""

    def __post_init__(self) -> None:
        if len(self.name) > MAX_VOICE_NAME_CHARS or not re.fullmatch(VOICE_NAME_PATTERN, self.name):
            raise InvalidSpec(
                f"voice.name is {self.name[:40]!r}: give the name of a voice, of at most {MAX_VOICE_NAME_CHARS} "
                "characters, and no path or address"
            )
        SPEED.check("voice.speed", self.speed)
        check_language("voice.language", self.language)
