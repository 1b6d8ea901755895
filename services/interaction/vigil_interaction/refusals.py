"""An engine that refuses a prompt again and again: what to leave out of the next one. Pure.

The cause may be a picture of the history, a word of the dialogue, or what waits for the next turn. Or it is none of
these, and the engine fails whatever it is asked. So each is left out of one turn as a *trial*: what the engine then
takes is committed without the rest, and a trial that it refuses costs nothing. When every trial of a round fails, the
next round begins after a longer time.

What clients said is given up only when it is sure to be the cause: the engine took a turn without it, refused the next
one with it, and takes one without it again.
"""

import re
from dataclasses import dataclass

from vigil.core.chunk import shorter
from vigil.core.profile import PromptProfile
from vigil.core.session import SessionSpec, SessionState
from vigil.runtime.engine.errors import (
    EngineAnswerInvalid,
    EngineError,
    EngineRejected,
    ImagesMissing,
    PromptTooLong,
)
from vigil.runtime.store.sessions import Waiting

TURNS, DIALOGUE, MEMORY, WAITING, EVERYTHING = "turns", "dialogue", "memory", "waiting", "everything"
# Like failures in a row before a trial. A single one may be the fault of the newest picture, which goes with its turn.
LIKE_REFUSALS = 2
LIKE_FAILURES = 3
MAX_PATIENCE = 64
_OVERLOADED = 429
_VARIES = re.compile(r"[0-9a-f]*\d[0-9a-f-]*", re.IGNORECASE)  # numbers and ids


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a turn is made of: a state, and what waits for it. `left_out` says what is not there, empty for nothing.
    What was left out of the waiting is given up with the turn when the attempt `gives_up`; else it waits on."""

    state: SessionState
    waiting: Waiting
    left_out: str = ""
    gives_up: bool = False


class Refusals:
    """Counts the like failures of one session's prompts, and says what to try next."""

    def __init__(self) -> None:
        self._like = ""
        self._count = 0
        self._trial = 0  # 0 is the whole
        self._patience = 1
        self._waiting_suspected = False

    def attempt(self, spec: SessionSpec, profile: PromptProfile, state: SessionState, waiting: Waiting) -> Attempt:
        """What the next turn is to be made of."""
        attempts = _attempts(spec, profile, state, waiting, gives_up=self._waiting_suspected)
        if self._trial >= len(attempts):  # every trial failed
            self._patience = min(self._patience * 4, MAX_PATIENCE)
            self._trial = self._count = 0
        return attempts[self._trial]

    def failed(self, error: EngineError) -> None:
        """The attempt failed. What says nothing about the prompt (nobody answers, too much to do) is not counted."""
        needed = _needed(error)
        if needed == 0:
            return
        like = f"{type(error).__name__} {_VARIES.sub('#', str(error))}"
        self._count = self._count + 1 if like == self._like else 1
        self._like = like
        if self._trial:
            self._trial += 1
        elif self._waiting_suspected or self._count >= needed * self._patience:
            self._trial = 1

    def succeeded(self, attempt: Attempt) -> None:
        """The attempt was taken and committed."""
        was_waiting_left_out = attempt.left_out in (WAITING, EVERYTHING)
        self._waiting_suspected = was_waiting_left_out and not attempt.gives_up
        self._like, self._count, self._trial, self._patience = "", 0, 0, 1


def is_of_prompt(error: EngineError) -> bool:
    """Whether the failure says something about the prompt, and not only about the engine."""
    return _needed(error) > 0


def _needed(error: EngineError) -> int:
    """So many like failures in a row are reason for a trial; 0 for none."""
    match error:
        case ImagesMissing() | PromptTooLong():
            return 1
        case EngineAnswerInvalid():
            return LIKE_REFUSALS
        case EngineRejected(status=status) if status != _OVERLOADED:
            return LIKE_FAILURES if error.retryable else LIKE_REFUSALS
        case _:
            return 0


def _attempts(
    spec: SessionSpec, profile: PromptProfile, state: SessionState, waiting: Waiting, *, gives_up: bool
) -> list[Attempt]:
    """The whole, then what leaves out more and more of it. What waits comes first once it is suspected."""
    states = list(zip((TURNS, DIALOGUE, MEMORY), shorter(spec, profile, state), strict=False))
    cut = [Attempt(shortened, waiting, left_out) for left_out, shortened in states]
    without: list[Attempt] = []
    if waiting.commands or waiting.results:
        blocks = Waiting(blocks=waiting.blocks)  # they are not shown before the next chunk, so they are not the cause
        without.append(Attempt(state, blocks, WAITING, gives_up))
        without += [Attempt(shortened, blocks, EVERYTHING, gives_up) for _, shortened in states[-1:]]
    return [Attempt(state, waiting), *(without + cut if gives_up else cut + without)]
