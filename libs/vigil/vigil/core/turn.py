"""A turn: what the model was shown in one interval and what it replied; and the dialogue, which outlives the turns."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from vigil.core.duplicate import normalised
from vigil.core.errors import InvalidSpec

MAX_DIALOGUE = 32
MAX_REPLIES = 8
MAX_RESULT_CHARS = 2_000
_TASK_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class FrameRef:
    """A frame by reference: the engine and the store know its pixels under `uuid`."""

    uuid: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One committed turn. `time_ms` is model time; `queries` are the user's lines that were new in it, `results` the
    lines that told results of delegated questions, `recalled` what memory holds about the question, `observed` what
    modules noticed, line by line."""

    sequence: int
    time_ms: int
    frames: tuple[FrameRef, ...]
    reply: str
    queries: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    recalled: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A delegated question: `note` is the holding reply that came with it, empty without one. Its id is the session's
    and the sequence of the turn that delegated it. All times are model time in milliseconds. `brain` names who answers
    it; empty: the tenant's default. Of two tasks that wait for a brain that of the higher `priority` comes first."""

    id: str
    question: str
    note: str
    opened_ms: int
    deadline_ms: int
    brain: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What a worker found out for a task; when not `is_ok`, `text` says why nothing was found."""

    task: str
    text: str
    is_ok: bool = True

    def __post_init__(self) -> None:
        if not _TASK_ID.fullmatch(self.task):
            raise InvalidSpec(f"{self.task[:80]!r} is the id of no task: give the id that the task came with")
        if _HALF_CHARACTER.search(self.text):
            raise InvalidSpec("the result has half of a character (a lone surrogate), which cannot be stored")
        if not self.text.strip():
            raise InvalidSpec("the result is empty: write what was found, or why nothing was")
        if len(self.text) > MAX_RESULT_CHARS:
            raise InvalidSpec(
                f"the result has {len(self.text):,} characters: at most {MAX_RESULT_CHARS:,} are allowed, shorten it"
            )


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said, with its model time in milliseconds."""

    time_ms: int
    text: str


class ExchangeState(StrEnum):
    """How far a question is."""

    OPEN = "open"  # the model has said nothing to it yet
    DELEGATED = "delegated"  # a task is to answer it
    ANSWERED = "answered"
    UNANSWERED = "unanswered"  # its task closed without an answer


@dataclass(frozen=True, slots=True)
class Exchange:
    """One entry of dialogue memory: a question and what was answered to it, with model times in milliseconds.

    `replies` are what the model said to it besides its `answer`, oldest first, at most `MAX_REPLIES`. A question that
    was delegated keeps its `task`; `closed_ms` is when that closed without an answer. The words in which the model said
    so are the `answer` all the same. `brain` is the one that was named with the question.
    """

    query: str
    asked_ms: int
    answer: str = ""
    answered_ms: int = -1
    task: Task | None = None
    closed_ms: int = -1
    brain: str = ""
    replies: tuple[Reply, ...] = ()

    @property
    def state(self) -> ExchangeState:
        """How far the question is."""
        if self.closed_ms >= 0:
            return ExchangeState.UNANSWERED
        if self.answered_ms >= 0:
            return ExchangeState.ANSWERED
        return ExchangeState.OPEN if self.task is None else ExchangeState.DELEGATED

    @property
    def is_delegated(self) -> bool:
        """Whether a task is to answer it."""
        return self.state is ExchangeState.DELEGATED

    def answered(self, text: str, time_ms: int) -> "Exchange":
        """The exchange with this answer. What was answered in an earlier turn stays as a reply."""
        return replace(self._without_answer(time_ms), answer=text, answered_ms=time_ms)

    def replied(self, text: str, time_ms: int) -> "Exchange":
        """The exchange with one more reply after its answer."""
        return replace(self, replies=(*self.replies, Reply(time_ms, text))[-MAX_REPLIES:])

    def delegated(self, task: Task) -> "Exchange":
        """The exchange while a task is to answer it anew."""
        return replace(self._without_answer(task.opened_ms), task=task, closed_ms=-1)

    def _without_answer(self, time_ms: int) -> "Exchange":
        was_answered = 0 <= self.answered_ms < time_ms
        kept = self.replied(self.answer, self.answered_ms) if was_answered else self
        return replace(kept, answer="", answered_ms=-1)


def remember(dialogue: tuple[Exchange, ...], exchange: Exchange) -> tuple[Exchange, ...]:
    """Append, forgetting the oldest beyond `MAX_DIALOGUE`.

    A question that is asked again in the same words is one standing question: its earlier exchange makes way. One whose
    task is on its way stays as it is, for the answer is to come from there.
    """
    place = place_of(dialogue, exchange.query)
    same = dialogue[place] if place >= 0 else None
    if same is not None and same.is_delegated:
        return dialogue
    return (*(known for known in dialogue if known is not same), exchange)[-MAX_DIALOGUE:]


def place_of(dialogue: tuple[Exchange, ...], query: str) -> int:
    """The place of the exchange that asks this question, in these words whatever their case and punctuation; else
    -1."""
    words = normalised(query) or query
    places = (place for place, known in enumerate(dialogue) if (normalised(known.query) or known.query) == words)
    return next(places, -1)
