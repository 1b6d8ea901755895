"""The engine client: asks an OpenAI-compatible vLLM for one decision and sends only the new pictures.

Earlier pictures are named by their multimodal UUID. When the engine has forgotten a picture, all pixels are fetched
from the caller and the request is sent in full, once (design §4). Errors: see `vigil.runtime.engine.errors`.
"""

import asyncio
import io
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from vigil.contract import spans
from vigil.contract.unreadable import UNREADABLE
from vigil.core.decide import Completion
from vigil.core.message import Image, Message
from vigil.core.profile import PromptProfile
from vigil.runtime.engine import metrics as metrics
from vigil.runtime.engine.errors import (
    ControlTokensMissing,
    EngineAnswerInvalid,
    EngineError,
    EngineRejected,
    EngineTimeout,
    EngineUnreachable,
    ImagesMissing,
    ModelNotServed,
    PromptTooLong,
)
from vigil.runtime.engine.span import answered, asking
from vigil.runtime.engine.wire import (
    Answer,
    Models,
    Rendered,
    Sampling,
    Tokens,
    completion_body,
    packed,
    read_completion,
    reason_of,
    says_images_missing,
    says_too_long,
)
from vigil.runtime.process.trace import span, with_trace

CHECK_DEADLINE_S = 5.0
_CONNECT_S = 2.0
# Full requests in flight at an engine: when it lost its pictures, every session of a process sends megabytes at once.
MAX_RESENDS = 8
_PACK_INLINE_BYTES = 256 * 1024

_Answer = TypeVar("_Answer", Answer, Models, Tokens)

Resend = Callable[[set[str]], Awaitable[Mapping[str, bytes]]]


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where the engine is. `url` is its root, with or without `/v1`; an empty key sends no authorisation.

    `model` is asked where a request names none. The certificate of an `https://` engine is verified with `tls`; None:
    by the system's authorities.
    """

    url: str
    model: str = ""
    api_key: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @property
    def root(self) -> str:
        return self.url.rstrip("/").removesuffix("/v1")

    @property
    def address(self) -> str:
        """Host and port, without credentials: how metrics and logs name the engine."""
        return urlsplit(self.root).netloc.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class EngineRequest:
    """One completion. It is greedy unless `sampling` is given; then the last message is the beginning of the reply.

    `fresh` maps the UUID of each picture that the engine has not seen to its JPEG; all other pictures are sent by
    UUID. A `regex` that is not empty constrains the output. `logit_bias` maps token ids to -100..100. With an empty
    `model` the client's model is asked. `rendered` belongs to the session and is the same for all its turns; with it,
    all fresh pictures must be in the last message.
    """

    messages: tuple[Message, ...]
    fresh: Mapping[str, bytes]
    max_tokens: int
    deadline_s: float
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    regex: str = ""
    sampling: Sampling | None = None
    model: str = ""
    rendered: Rendered | None = field(default=None, compare=False)

    def uuids(self) -> set[str]:
        """Every picture of the prompt."""
        return {part.ref.uuid for message in self.messages for part in message.parts if isinstance(part, Image)}


class Engine:
    """The client. Use it as an async context manager; one client serves all sessions of a process.

    Requests are compressed once an answer of the engine has said that it accepts gzip (RFC 9110 §12.5.3).
    """

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self._http: aiohttp.ClientSession | None = None
        self._takes_gzip = False
        self._resends = asyncio.Semaphore(MAX_RESENDS)

    async def __aenter__(self) -> Self:
        key = self.config.api_key
        self._http = aiohttp.ClientSession(
            # A session has one request in flight, so its worker bounds them.
            connector=aiohttp.TCPConnector(limit=0, ssl=self.config.tls or True),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._http is not None:
            await self._http.close()

    async def complete(self, request: EngineRequest, resend: Resend) -> Completion:
        """Ask for one reply within `request.deadline_s` in all.

        `resend` returns the JPEGs of the UUIDs that it is given; it is called at most once, when the engine has
        forgotten a picture. Raises `EngineError`. A cancelled call leaves nothing running.
        """
        with (
            span(
                spans.CHAT, asking(self.config.root, self._model(request), request.max_tokens, request.sampling)
            ) as current,
            self._counted(),
        ):
            async with self._within(request.deadline_s):
                completion = await self._complete(request, resend)
            current.set_attributes(answered(completion))
        self._count_success(completion)
        return completion

    async def ping(self) -> None:
        """Return when the engine is up. Raises `EngineError`."""
        async with self._within(CHECK_DEADLINE_S):
            await self._request("GET", "/health")

    async def models(self) -> dict[str, int]:
        """The models that a healthy engine serves, each with the tokens of its context; 0 where the engine does not say
        it. Raises `EngineError`."""
        async with self._within(CHECK_DEADLINE_S):
            await self._request("GET", "/health")
            return await self._served()

    async def check_model(self, profile: PromptProfile, model: str = "") -> dict[str, int]:
        """Check that the model is served and return the id of each of the profile's action words.

        Raises `ModelNotServed`. Raises `ControlTokensMissing` when a word is not a single token, unless the profile is
        grammar based: then the result lacks that word.
        """
        wanted = model or self.config.model
        async with self._within(CHECK_DEADLINE_S):
            served = await self._served()
            if wanted not in served:
                raise ModelNotServed(wanted, tuple(served))
            return await self._action_ids(profile, wanted)

    async def _served(self) -> dict[str, int]:
        models = self._read(await self._request("GET", "/v1/models"), Models)
        return {model.id: model.max_model_len or 0 for model in models.data}

    async def _action_ids(self, profile: PromptProfile, model: str) -> dict[str, int]:
        words = profile.spelling.words
        try:
            found = [await self._tokens(word, model) for word in words]
        except EngineRejected as error:
            if profile.grammar and error.status == 404:  # not vLLM: no tokenizer to ask, and none is needed
                return {}
            raise
        ids = {word: tokens[0] for word, tokens in zip(words, found, strict=True) if len(tokens) == 1}
        missing = [word for word in words if word not in ids]
        if missing and not profile.grammar:
            raise ControlTokensMissing(model, missing)
        return ids

    async def _tokens(self, text: str, model: str) -> list[int]:
        body = {"model": model, "prompt": text, "add_special_tokens": False}
        return self._read(await self._request("POST", "/tokenize", msgspec.json.encode(body)), Tokens).tokens

    async def _complete(self, request: EngineRequest, resend: Resend) -> Completion:
        try:
            return await self._attempt(request, request.fresh, resent=False)
        except EngineRejected as error:
            if not says_images_missing(error.status, error.reason):
                raise
        metrics.RESENDS.labels(self.config.address).inc()
        async with self._resends:
            pixels = {**await resend(request.uuids() - request.fresh.keys()), **request.fresh}
            lost = sorted(request.uuids() - pixels.keys())
            if lost:
                raise ImagesMissing(lost, "neither the engine nor the session's store has them")
            return await self._attempt(request, pixels, resent=True)

    async def _attempt(self, request: EngineRequest, pixels: Mapping[str, bytes], *, resent: bool) -> Completion:
        plain = completion_body(
            self._model(request),
            request.messages,
            pixels,
            max_tokens=request.max_tokens,
            logit_bias=request.logit_bias,
            regex=request.regex,
            sampling=request.sampling,
            rendered=None if resent else request.rendered,
        )
        gzip = self._takes_gzip
        body = (await _packed(plain)) if gzip else plain
        began = time.perf_counter()
        answer = self._read(await self._request("POST", "/v1/chat/completions", body, gzip=gzip), Answer)
        engine_ms = (time.perf_counter() - began) * 1000
        if not answer.choices:
            raise EngineAnswerInvalid(self.config.root, "a completion without choices")
        return read_completion(answer, len(body), engine_ms, resent)

    async def _request(self, method: str, path: str, body: bytes | None = None, *, gzip: bool = False) -> bytes:
        if self._http is None:
            raise RuntimeError("the engine client is used outside its context")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if gzip:
            headers["Content-Encoding"] = "gzip"
        data = io.BytesIO(body) if body is not None else None  # sent piece by piece: a full request may be megabytes
        try:
            async with self._http.request(
                method, self.config.root + path, data=data, headers=with_trace(headers)
            ) as response:
                answer = await response.read()
                self._takes_gzip = "gzip" in response.headers.get("Accept-Encoding", "")
        except (aiohttp.ClientError, OSError) as error:
            raise EngineUnreachable(self.config.root, str(error) or type(error).__name__) from error
        if response.status != 200:
            reason = reason_of(answer)
            raise (PromptTooLong if says_too_long(response.status, reason) else EngineRejected)(response.status, reason)
        return answer

    def _read(self, answer: bytes, kind: type[_Answer]) -> _Answer:
        try:
            return msgspec.json.decode(answer or b"null", type=kind)
        except UNREADABLE as error:
            raise EngineAnswerInvalid(self.config.root, str(error)) from error

    @asynccontextmanager
    async def _within(self, deadline_s: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(deadline_s) as scope:
                yield
        except TimeoutError as error:
            if not scope.expired():  # not this deadline: the caller's `resend` timed out
                raise
            raise EngineTimeout(self.config.root, deadline_s) from error

    def _model(self, request: EngineRequest) -> str:
        return request.model or self.config.model

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except EngineError as error:
            metrics.REQUESTS.labels(self.config.address, type(error).__name__).inc()
            raise

    def _count_success(self, completion: Completion) -> None:
        address = self.config.address
        metrics.REQUESTS.labels(address, "ok").inc()
        metrics.SECONDS.labels(address).observe(completion.engine_ms / 1000)
        metrics.REQUEST_BYTES.observe(completion.request_bytes)
        metrics.PROMPT_TOKENS.labels(address).inc(completion.prompt_tokens)
        metrics.CACHED_TOKENS.labels(address).inc(completion.cached_tokens)


async def _packed(plain: bytes) -> bytes:
    """The packed body. A large body is packed in a thread, because it would hold up every other session."""
    return packed(plain) if len(plain) < _PACK_INLINE_BYTES else await asyncio.to_thread(packed, plain)
