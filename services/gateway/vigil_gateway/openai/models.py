"""What travels through the OpenAI-compatible door. Fields of that API that mean nothing here are let through."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vigil.core.instruction import MAX_INSTRUCTIONS
from vigil_gateway.api.models.base import In, Out, Text
from vigil_gateway.api.models.history import DecisionOut
from vigil_gateway.api.models.live import TimeS
from vigil_gateway.api.models.standing import WatchIn


class ChatPart(BaseModel):
    """Part of a message: `text`, or `image_url` with a data URL."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    type: str = Field(examples=["image_url"])
    text: str = ""
    image_url: dict[str, Any] | str | None = Field(None, examples=[{"url": "data:image/jpeg;base64,…"}])


class ChatMessage(BaseModel):
    """A message. Only the last one of the user is read: the session remembers what came before."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    role: str = Field(examples=["user"])
    content: str | list[ChatPart] | None = None


class VigilIn(In):
    """What the OpenAI format has no place for."""

    time_s: TimeS = None
    watches: list[WatchIn] = Field(
        default=[],
        max_length=MAX_INSTRUCTIONS,
        description="What to watch for from the first turn on; later ones: `/v1/sessions/{id}/watches`",
    )
    instructions: list[Text] = Field(
        default=[],
        max_length=MAX_INSTRUCTIONS,
        description="What to keep in mind from the first turn on; later ones: `/v1/sessions/{id}/instructions`",
    )


class ChatIn(BaseModel):
    """One turn: a picture of now, and a question where there is one."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    model: str = Field(min_length=1, max_length=200, examples=["vigil-small"])
    messages: list[ChatMessage] = Field(min_length=1, max_length=1_024)
    stream: bool = Field(False, description="Must be false: a turn is one short decision")
    n: int = Field(1, description="Must be 1")
    vigil: VigilIn = Field(default_factory=lambda: VigilIn(time_s=None))


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
