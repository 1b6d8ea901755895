"""Whether and how a session is spoken to, and what becomes of what was said. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from vigil.core.errors import InvalidSpec

MAX_WAKE_PHRASE_CHARS = 64
LANGUAGE_PATTERN = r"([A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4})?"


class Origin(StrEnum):
    """Where sound comes from."""

    SOURCE = "source"  # the camera, file or WebRTC client that the session watches
    MICROPHONE = "microphone"  # a page or a program, through the gateway


class TurnTaking(StrEnum):
    """Which of what was said becomes a question."""

    OPEN = "open"  # everything
    WAKE = "wake"  # what begins with the wake phrase
    PUSH = "push"  # what was said while the button was held


class Became(StrEnum):
    """What became of something that was said."""

    QUERY = "query"  # a question of the session
    WATCH = "watch"  # a watch of the session: somebody at a microphone asked to be told when something happens
    NOT_ADDRESSED = "not_addressed"  # it was meant for somebody else: no wake phrase, no button
    ECHO = "echo"  # the session heard itself
    NOISE = "noise"  # hardly speech at all, or too uncertain
    FILLER = "filler"  # words that recognizers make up where nobody speaks
    REFUSED = "refused"  # the session could not take the question or the watch


ASKED = frozenset({Became.QUERY, Became.WATCH})  # the model is shown it


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a session is spoken to. With `is_on` it needs a worker that recognizes speech, and clients may send the sound
    of a microphone; with `from_source` it hears its source as well.

    `wake_phrase` are the words that begin a question where `turn_taking` asks for them. `language` is that of the
    speakers as BCP 47 writes it; empty: any that the recognizer knows.
    """

    is_on: bool = False
    from_source: bool = False
    turn_taking: TurnTaking = TurnTaking.OPEN
    wake_phrase: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        if self.from_source and not self.is_on:
            raise InvalidSpec("hearing.from_source is true and hearing.is_on is not: give both, or none")
        if len(self.wake_phrase) > MAX_WAKE_PHRASE_CHARS or not self.wake_phrase.isprintable():
            raise InvalidSpec(f"hearing.wake_phrase is one line of at most {MAX_WAKE_PHRASE_CHARS} characters")
        if (self.turn_taking is TurnTaking.WAKE) != any(map(str.isalnum, self.wake_phrase)):
            raise InvalidSpec(
                'hearing.wake_phrase goes with hearing.turn_taking "wake": give both, or neither of the two; a phrase '
                "has a word"
            )
        check_language("hearing.language", self.language)

    @property
    def hears_source(self) -> bool:
        """Whether ingestion hands on the sound of the source."""
        return self.is_on and self.from_source


def check_language(name: str, language: str) -> None:
    """Raise `InvalidSpec`, which names the option, unless `language` is empty or may be a BCP 47 tag."""
    if not re.fullmatch(LANGUAGE_PATTERN, language):
        raise InvalidSpec(f'{name} is {language[:40]!r}: give a language tag such as "en" or "pt-BR", or none')
