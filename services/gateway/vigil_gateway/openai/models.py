"""What travels through the OpenAI-compatible door. `fields.py` says what its other fields mean."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from vigil.core.instruction import MAX_INSTRUCTIONS
from vigil_gateway.api.models.base import NO_TEXT_INT, In, Out, Text
from vigil_gateway.api.models.history import DecisionOut
from vigil_gateway.api.models.live import TimeS
from vigil_gateway.api.models.standing import WatchIn


class ChatPart(BaseModel):
    """Part of a message: `text`, or `image_url` with a data URL."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    type: str = Field(examples=["image_url"])
    text: str | None = ""
    image_url: dict[str, Any] | str | None = Field(None, examples=[{"url": "data:image/jpeg;base64,…"}])


class ChatMessage(BaseModel):
    """A message. Only the last one of the user is read: the session remembers what came before."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    role: str = Field(examples=["user"])
    content: str | list[ChatPart] | None = None


class VigilIn(In):
    """What the OpenAI format has no place for."""

    time_s: TimeS = None
    watches: list[WatchIn] | None = Field(
        default=None,
        max_length=MAX_INSTRUCTIONS,
        description="What to watch for from the first turn on; later ones: `/v1/sessions/{id}/watches`",
    )
    instructions: list[Text] | None = Field(
        default=None,
        max_length=MAX_INSTRUCTIONS,
        description="What to keep in mind from the first turn on; later ones: `/v1/sessions/{id}/instructions`",
    )


class ChatIn(BaseModel):
    """One turn: a picture of now, and a question where there is one.

    A field of OpenAI's API that asks for what a turn cannot do is refused by name (tools that must be called, another
    form of the answer, several answers). One that changes nothing is named in the answer's header `x-vigil-ignored`.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="allow")

    model: str = Field(min_length=1, max_length=200, examples=["vigil-small"])
    messages: list[ChatMessage] = Field(min_length=1, max_length=1_024)
    stream: StrictBool | None = Field(None, description="Must not be true: a turn is one short decision")
    n: Annotated[int | None, NO_TEXT_INT] = Field(None, description="Must be 1 where it is given")
    vigil: VigilIn | None = None

    def given(self) -> dict[str, Any]:
        """Every field of the request beside those that a turn is made of."""
        return {"stream": self.stream, "n": self.n, **(self.model_extra or {})}


class ChatReply(Out):
    """The assistant's message: the control form exactly as the model's history keeps it."""

    role: Literal["assistant"] = "assistant"
    content: str = Field(examples=["</silence>", "</response> A fire has started."])


class ChatChoice(Out):
    """The only choice."""

    index: int = 0
    message: ChatReply
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class CachedTokens(Out):
    """How much of the prompt the engine had already."""

    cached_tokens: int


class ChatUsage(Out):
    """Tokens of this turn."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens


class ChatOut(Out):
    """A chat completion."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage
    vigil: DecisionOut = Field(description="What the OpenAI format has no place for")


class ModelOut(Out):
    """A model that a session can have."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["vigil"] = "vigil"


class ModelList(Out):
    """The models there are."""

    object: Literal["list"] = "list"
    data: list[ModelOut]


class ResetOut(Out):
    """The session's next turn begins with an empty history."""

    session: str
    status: Literal["accepted"] = "accepted"


class OpenAIErrorDetail(Out):
    """What was wrong, and what to do next."""

    message: str
    type: str
    code: str
    param: str | None = None


class OpenAIError(Out):
    """An error as OpenAI's clients read it."""

    error: OpenAIErrorDetail
