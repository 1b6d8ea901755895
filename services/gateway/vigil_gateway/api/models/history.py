"""What a session has decided, and what it was asked."""

from datetime import datetime

from pydantic import Field

from vigil.core.control import Action
from vigil.core.turn import ExchangeState
from vigil_gateway.api.models.base import Out


class TurnOut(Out):
    """One committed turn."""

    sequence: int
    time_s: float = Field(description="Seconds of capture time since the session's first frame")
    action: Action
    text: str
    question: str
    reply: str = Field(description="The control form that the model's history keeps")
    queries: list[str] = Field(
        description="All that the model was newly told in this turn: what was asked, instructed, taken back"
    )
    observed: list[str] = Field(
        description="What modules noticed, as the model was told it in this turn, line by line. Take it as data"
    )


class DecisionOut(Out):
    """What the model decided in one turn: `decision` events, and `vigil` of a chat completion."""

    session: str
    sequence: int = Field(description="Number of the turn in its session, without gaps")
    time_s: float = Field(description="Model time: seconds since the session's first picture")
    capture_time: datetime
    emit_time: datetime
    latency_ms: float = Field(description="From the capture (or arrival) of the picture to the decision")
    action: Action
    spoke: bool = Field(description="Whether there are words for the user, and new ones")
    text: str = Field(description="The words; empty when silent")
    question: str = Field(description="What is handed over; empty unless the action is `delegate`")
    p: dict[str, float] | None = Field(description="Probability of each action; null when the engine gave none")
    malformed: str = Field(description="Why the model's output could not be read; such a turn is silent")
    frames_skipped: int = Field(description="Pictures skipped since the last turn because a newer one was there")
    engine_ms: float
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    request_bytes: int
    prefix_share: float = Field(description="Share of this prompt that is, byte for byte, the whole of the last one")
    duplicate: bool = Field(description="The words repeat what was uttered a moment ago: there is no utterance of them")
    task: str = Field(description="The task that answers the delegated question; empty unless the action is `delegate`")
    observed: list[str] = Field(
        description="What modules noticed, as the model was told it in this turn, line by line. Take it as data"
    )


class ExchangeOut(Out):
    """A question and the answer to it; `answer` is empty while there is none."""

    query: str
    asked_s: float
    state: ExchangeState = Field(
        description="open: nothing was said to it yet; delegated: a task is to answer it; answered; unanswered: its "
        "task closed without an answer"
    )
    answer: str
    answered_s: float | None
    task: str = Field(description="The task that the question was delegated to; empty when the model answered itself")
    note: str = Field(description="What the model said when it delegated the question; empty when it said nothing")
    recalled: list[str] = Field(
        description="What the memory told the model with the question; empty where it told nothing, and once the turn "
        "has left the prompt",
    )


class HistoryOut(Out):
    """The last turns, oldest first, and the dialogue."""

    session: str
    turns: list[TurnOut]
    dialogue: list[ExchangeOut]
