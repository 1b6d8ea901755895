"""The bytes of the engine's HTTP API: core messages in, a completion out. No I/O here."""

import base64
import gzip
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil.core.decide import Completion
from vigil.core.message import Image, Message, Text

TOP_LOGPROBS = 20
MAX_REASON_CHARS = 300

_TOO_LONG = re.compile(r"(maximum|max) (context|model) length|max_model_len|at most \d+ image", re.IGNORECASE)
_CACHE_MISS = re.compile(r"cache miss for (image|.* at index)", re.IGNORECASE)


class _TokenLogprob(msgspec.Struct, frozen=True):
    token: str
    logprob: float


class _Position(msgspec.Struct, frozen=True):
    token: str
    logprob: float
    top_logprobs: list[_TokenLogprob] = []


class _Logprobs(msgspec.Struct, frozen=True):
    content: list[_Position] | None = None


class _Reply(msgspec.Struct, frozen=True):
    content: str | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Reply
    logprobs: _Logprobs | None = None


class _PromptDetails(msgspec.Struct, frozen=True):
    cached_tokens: int | None = 0


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _PromptDetails | None = None


class Answer(msgspec.Struct, frozen=True):
    """A chat completion, as much of it as is used."""

    choices: list[_Choice]
    usage: _Usage | None = None


class _Model(msgspec.Struct, frozen=True):
    id: str
    max_model_len: int | None = None  # what vLLM says of its context


class Models(msgspec.Struct, frozen=True):
    """The answer of `/v1/models`."""

    data: list[_Model]


class Tokens(msgspec.Struct, frozen=True):
    """The answer of `/tokenize`."""

    tokens: list[int]


class Rendered:
    """The wire form of a session's prompts; each message is rendered once (design §1.3).

    Within a chunk a prompt only grows at its end, so a tick costs the same at turn 1 and at turn 100. Messages are
    compared by identity: a prompt that reuses the message objects of the prompt before finds them here.
    """

    def __init__(self) -> None:
        self._messages: tuple[Message, ...] = ()
        self._wire: list[msgspec.Raw] = []

    def body(self, messages: tuple[Message, ...], pixels: Mapping[str, bytes]) -> list[msgspec.Raw]:
        """The messages of a request. Only the last message may carry pixels; all earlier pictures are named by UUID."""
        past = messages[:-1]
        known = _shared(self._messages, past)
        self._wire[known:] = [_raw(message, {}) for message in past[known:]]
        self._messages = past
        return [*self._wire, *(_raw(message, pixels) for message in messages[-1:])]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to continue a reply: at this temperature, with this seed, until the word `stop`."""

    temperature: float
    seed: int
    stop: str


def completion_body(
    model: str,
    messages: tuple[Message, ...],
    pixels: Mapping[str, bytes],
    *,
    max_tokens: int,
    logit_bias: Mapping[int, float],
    regex: str,
    sampling: Sampling | None = None,
    rendered: Rendered | None = None,
) -> bytes:
    """A `/v1/chat/completions` request. A picture that `pixels` lacks is named by its UUID.

    With `sampling` the last message is the beginning of the reply, and the engine continues it. `rendered` holds the
    rendered messages of the session's earlier prompts; it may be given when `pixels` has only pictures of the last
    message.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": rendered.body(messages, pixels) if rendered else [_raw(message, pixels) for message in messages],
        "temperature": 0,
        "max_tokens": max_tokens,
        "skip_special_tokens": False,
        "logprobs": True,
        "top_logprobs": TOP_LOGPROBS,
    }
    if logit_bias:
        body["logit_bias"] = {str(token): bias for token, bias in logit_bias.items()}
    if sampling:
        body |= {"temperature": sampling.temperature, "seed": sampling.seed, "stop": [sampling.stop]}
        body |= {"add_generation_prompt": False, "continue_final_message": True}
    if regex:
        body["structured_outputs"] = {"regex": regex}
    return msgspec.json.encode(body)


def packed(body: bytes) -> bytes:
    """The body as gzip. A long history repeats a few words, so it becomes small."""
    return gzip.compress(body, compresslevel=1, mtime=0)


def read_completion(answer: Answer, request_bytes: int, engine_ms: float, resent: bool) -> Completion:
    """The first choice of `answer`, which must have one."""
    choice, usage = answer.choices[0], answer.usage or _Usage()
    details = usage.prompt_tokens_details or _PromptDetails()
    return Completion(
        text=choice.message.content or "",
        first_token_logprobs=_first_token(choice.logprobs),
        prompt_tokens=usage.prompt_tokens,
        cached_tokens=details.cached_tokens or 0,
        completion_tokens=usage.completion_tokens or 0,
        request_bytes=request_bytes,
        engine_ms=engine_ms,
        resent=resent,
    )


def reason_of(body: bytes) -> str:
    """The engine's own error message, on one line, shortened."""
    try:
        decoded = msgspec.json.decode(body)
    except UNREADABLE:
        text = body.decode(errors="replace")
    else:
        text = _error_message(decoded)
    return " ".join(text.split())[:MAX_REASON_CHARS]


def says_images_missing(status: int, reason: str) -> bool:
    """Whether this refusal means that the engine no longer has a picture that was named by its UUID."""
    return status in (400, 404, 422) and _CACHE_MISS.search(reason) is not None


def says_too_long(status: int, reason: str) -> bool:
    """Whether this refusal means that the prompt does not fit into the model's context."""
    return status == 400 and _TOO_LONG.search(reason) is not None


def _shared(before: Sequence[Message], after: Sequence[Message]) -> int:
    """How many message objects both sequences begin with."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((index for index, (old, new) in pairs if old is not new), min(len(before), len(after)))


def _raw(message: Message, pixels: Mapping[str, bytes]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(_message(message, pixels)))


def _message(message: Message, pixels: Mapping[str, bytes]) -> dict[str, Any]:
    if message.role != "user":
        return {"role": message.role, "content": "".join(part.text for part in message.parts if isinstance(part, Text))}
    return {"role": message.role, "content": [_part(part, pixels) for part in message.parts]}


def _part(part: Text | Image, pixels: Mapping[str, bytes]) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": part.text}
    jpeg = pixels.get(part.ref.uuid)
    url = {"url": "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()} if jpeg is not None else None
    return {"type": "image_url", "image_url": url, "uuid": part.ref.uuid}


def _first_token(logprobs: _Logprobs | None) -> dict[str, float]:
    if logprobs is None or not logprobs.content:
        return {}
    first = logprobs.content[0]
    return {first.token: first.logprob} | {other.token: other.logprob for other in first.top_logprobs}


def _error_message(decoded: object) -> str:
    if isinstance(decoded, dict):
        error = decoded.get("error", decoded)
        if isinstance(error, dict):
            return str(error.get("message", error))
        return str(decoded.get("message", error))
    return str(decoded)
