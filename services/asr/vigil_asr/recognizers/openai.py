"""Any engine with OpenAI's `POST /v1/audio/transcriptions`: vLLM, FunASR's server, speaches, OpenAI, and our
embedded one.

It takes whole recordings. A partial transcript is asked of the sound so far, one request at a time. The final one is
asked as soon as the speaker pauses: when he stays silent, it is there by the time that his turn ends; when he speaks
on, it is thrown away.

Transcripts are asked for with the probabilities of their segments. Models that have none refuse that (on vLLM all but
Whisper's, OpenAI's gpt-4o-transcribe): they are asked for the text alone from then on.
"""

import asyncio
import io
import math
import wave
from dataclasses import dataclass
from typing import Any

import aiohttp

from vigil.core.sound import SAMPLE_BYTES, SAMPLE_RATE_HZ, chunk_bytes
from vigil_asr import metrics
from vigil_asr.recognizers.connection import Connection, text_in
from vigil_asr.recognizers.port import MAX_LANGUAGE_CHARS, Recognized, RecognizerError, Told, bounded
from vigil_asr.sound import RemarkSound

PATH = "/audio/transcriptions"
_WITH_PROBABILITIES = "verbose_json"
_TEXT_ALONE = "json"
PAUSE_MS = 200  # of silence after which the final transcript is asked for
_LOWEST_LOG_PROBABILITY = -10.0


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """`partial_ms` is the least time between two partial transcripts; 0: none are asked for. `partial_model` is what
    they are asked of; empty: the same."""

    model: str
    partial_ms: int = 300
    partial_model: str = ""


class OpenAIRecognizer:
    """See the module."""

    def __init__(self, connection: Connection, options: OpenAIOptions) -> None:
        self._connection = connection
        self._options = options
        self._format = _WITH_PROBABILITIES
        self.name = options.model

    async def recognize(self, sound: RemarkSound, language: str, told: Told) -> Recognized:
        asking = _Asking(self, sound, language, told)
        try:
            return await asking.to_the_end()
        finally:
            await asking.stop()

    async def partial(self, pcm: bytes, language: str, told: Told) -> None:
        """Tell what is understood of the sound so far. One that fails is left out: the next one knows more."""
        try:
            found = await self._ask(pcm, self._options.partial_model or self._options.model, language)
        except RecognizerError:
            metrics.PARTIALS_SKIPPED.inc()
        else:
            told(found.text)

    async def final(self, pcm: bytes, language: str) -> Recognized:
        """What was said. Raises `RecognizerError`."""
        return await self._ask(pcm, self._options.model, language)

    def is_partial_due(self, since_last_bytes: int) -> bool:
        """Whether enough was said since the last partial transcript was asked for."""
        return self._options.partial_ms > 0 and chunk_bytes(self._options.partial_ms) <= since_last_bytes

    async def _ask(self, pcm: bytes, model: str, language: str) -> Recognized:
        asked_for = self._format
        try:
            said = await self._connection.post(PATH, _form(pcm, model, language, asked_for))
        except RecognizerError as error:
            if asked_for == _TEXT_ALONE or not error.is_of_request:
                raise
            said = await self._connection.post(PATH, _form(pcm, model, language, _TEXT_ALONE))
            self._format = _TEXT_ALONE
        return Recognized(bounded(text_in(said, "text")), _confidence(said), _language(said))


class _Asking:
    """The requests about one remark: at most one for a partial transcript and one for the final one."""

    def __init__(self, recognizer: OpenAIRecognizer, sound: RemarkSound, language: str, told: Told) -> None:
        self._recognizer = recognizer
        self._sound = sound
        self._language = language
        self._told = told
        self._partial: asyncio.Task[None] | None = None
        self._partial_at = 0  # how much was voiced when it was asked
        self._final: asyncio.Task[Recognized] | None = None
        self._final_at = -1

    async def to_the_end(self) -> Recognized:
        while not self._sound.is_over:
            await self._sound.changed()
            if self._sound.length - self._sound.voiced_bytes >= chunk_bytes(PAUSE_MS):
                self._ask_final()
            else:
                self._ask_partial()
        self._ask_final()
        assert self._final is not None  # noqa: S101  it was just asked
        return await self._final

    async def stop(self) -> None:
        """End what is still asked."""
        tasks = [task for task in (self._partial, self._final) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask_partial(self) -> None:
        """Ask while he speaks: a pause tells no more words, and the final transcript comes soon."""
        voiced = self._sound.voiced_bytes
        if self._sound.length > voiced:
            return
        is_free = self._partial is None or self._partial.done()
        if is_free and self._recognizer.is_partial_due(voiced - self._partial_at):
            self._partial_at = voiced
            self._partial = asyncio.create_task(
                self._recognizer.partial(self._sound.read(), self._language, self._told)
            )

    def _ask_final(self) -> None:
        """Ask unless the sound was asked for that has no speech behind it."""
        if self._final_at == self._sound.voiced_bytes:
            return
        if self._final is not None:
            self._final.cancel()
        if self._partial is not None:
            self._partial.cancel()
        self._final_at = self._sound.voiced_bytes
        self._final = asyncio.create_task(self._recognizer.final(self._sound.read(), self._language))
        self._final.add_done_callback(_look_at)


def _look_at(task: asyncio.Task[Recognized]) -> None:
    """An answer that nobody waits for any more may be an error."""
    if not task.cancelled():
        task.exception()


def _form(pcm: bytes, model: str, language: str, answer_format: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("file", wav(pcm), filename="remark.wav", content_type="audio/wav")
    form.add_field("model", model)
    form.add_field("response_format", answer_format)
    if language:
        form.add_field("language", language.partition("-")[0])  # ISO 639, as OpenAI has it
    return form


def wav(pcm: bytes) -> bytes:
    """The samples as a WAV file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(SAMPLE_BYTES)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes(pcm)
    return file.getvalue()


def _language(said: dict[str, Any]) -> str:
    """Empty where the engine tells none; FunASR's server has a word for that."""
    found = bounded(text_in(said, "language"), MAX_LANGUAGE_CHARS)
    return "" if found == "unknown" else found


def _confidence(said: dict[str, Any]) -> float | None:
    """Mean probability of the words' parts, where the engine tells it, as Whisper's do."""
    segments = said.get("segments")
    if not isinstance(segments, list) or not segments:
        return None
    found = [segment.get("avg_logprob") if isinstance(segment, dict) else None for segment in segments]
    logs = [min(0.0, max(_LOWEST_LOG_PROBABILITY, value)) for value in found if isinstance(value, int | float)]
    return math.exp(sum(logs) / len(logs)) if len(logs) == len(segments) else None
