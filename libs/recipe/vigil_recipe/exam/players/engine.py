"""The engine itself, for the baselines: the same weights, the same prompt bytes, none of the system."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import msgspec

from vigil.core.decide import Completion
from vigil.core.message import Image, Message, Text
from vigil.core.probability import probabilities
from vigil.core.profile import VIGIL_SMALL, PromptProfile
from vigil.core.prompt import time_marker
from vigil.core.turn import FrameRef
from vigil.runtime.engine.wire import Answer, completion_body, read_completion, reason_of
from vigil_recipe.exam.scoring.transcript import Heard, PlayFailed

CALL_S = 120.0


@dataclass(frozen=True, slots=True)
class Shown:
    """One user turn: new lines, its time, its picture; and the reply that the history has for it."""

    lines: tuple[str, ...]
    time_s: float
    jpeg: bytes
    reply: str = ""


class Engine:
    """An OpenAI-compatible engine. The HTTP session is its caller's."""

    def __init__(self, http: aiohttp.ClientSession, url: str, model: str, profile: PromptProfile = VIGIL_SMALL) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._model = model
        self._profile = profile

    async def reply(self, turns: Sequence[Shown]) -> Heard:
        """What the model says to the last of these turns, after the replies of those before. Raises `PlayFailed`."""
        pixels = {_uuid(turn.jpeg): turn.jpeg for turn in turns}
        completion = await self._complete(self._messages(turns), pixels, self._profile.max_tokens)
        output = self._profile.spelling.read(completion.text)
        p = probabilities(completion.first_token_logprobs, self._profile.spelling)
        return Heard(turns[-1].time_s, output.reply, p, completion.engine_ms)

    async def write(self, pieces: Sequence[str | bytes], max_tokens: int) -> str:
        """What the model says to one message of texts and pictures (JPEG), in words alone. Raises `PlayFailed`."""
        parts = tuple(
            Text(piece) if isinstance(piece, str) else Image(FrameRef(_uuid(piece), 0, 0)) for piece in pieces if piece
        )
        messages = (Message("system", (Text(self._profile.system),)), Message("user", parts))
        pixels = {_uuid(piece): piece for piece in pieces if isinstance(piece, bytes)}
        completion = await self._complete(messages, pixels, max_tokens)
        return self._profile.spelling.read(completion.text).text

    async def _complete(
        self, messages: tuple[Message, ...], pixels: Mapping[str, bytes], max_tokens: int
    ) -> Completion:
        body = completion_body(
            self._model, messages, pixels, max_tokens=max_tokens, logit_bias={}, regex=self._profile.grammar
        )
        began_s = time.perf_counter()
        status, raw = await self._post(body)
        latency_ms = (time.perf_counter() - began_s) * 1000
        if status != 200:
            raise PlayFailed(f"the engine at {self._url} refused ({status}): {reason_of(raw)}")
        try:
            return read_completion(msgspec.json.decode(raw, type=Answer), len(body), latency_ms, resent=False)
        except (msgspec.DecodeError, IndexError) as error:
            raise PlayFailed(f"the engine at {self._url} did not answer a completion ({error})") from None

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        timeout = aiohttp.ClientTimeout(total=CALL_S)
        try:
            async with self._http.post(
                f"{self._url}/v1/chat/completions", data=body, headers=headers, timeout=timeout
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PlayFailed(f"the engine at {self._url} does not answer ({error!r})") from None

    def _messages(self, turns: Sequence[Shown]) -> tuple[Message, ...]:
        """The layout of plain profiles, as `vigil.core.prompt` writes it."""
        messages = [Message("system", (Text(self._profile.system),))]
        for turn in turns:
            lines = "".join(f"{line}\n" for line in turn.lines)
            text = Text(f"{lines}{time_marker(round(turn.time_s * 1000))}\n")
            messages.append(Message("user", (text, Image(FrameRef(_uuid(turn.jpeg), 0, 0)))))
            messages.append(Message("assistant", (Text(turn.reply),)))
        return tuple(messages[:-1])


def _uuid(jpeg: bytes) -> str:
    return f"exam-{hashlib.sha256(jpeg).hexdigest()[:24]}"
