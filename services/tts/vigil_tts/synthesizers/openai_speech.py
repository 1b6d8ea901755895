"""The kinds `openai` and `vllm-omni`: `POST /v1/audio/speech`, as OpenAI has it and many servers offer it.

vLLM-Omni is asked for the bare sound of a stream (`stream_format: audio`): with `stream` alone it sends events. A voice
that it is to imitate is sent with each text, see `Sample`.
"""

import base64
import binascii
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil_tts.synthesizers.http_client import HttpClient
from vigil_tts.synthesizers.pcm import PcmReader, invalid
from vigil_tts.synthesizers.port import Sound, SpeakingVoice, SynthesizerError, Task
from vigil_tts.synthesizers.sample import Sample

MAX_EVENT_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """`voice` is the one that is asked for where a task names none. `rate_hz` is that of raw samples of which the
    server does not state it."""

    model: str
    voice: str
    rate_hz: int
    is_vllm_omni: bool = False
    sample: Sample | None = None


class OpenAISynthesizer:
    """Asks the server below whose root is `/audio/speech`."""

    def __init__(self, client: HttpClient, options: OpenAIOptions) -> None:
        self._client = client
        self._options = options

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """See `Synthesizer`."""
        async with self._client.post("/audio/speech", json=self._body(task)) as answer:
            content_type = answer.headers.get("Content-Type", "")
            is_events = content_type.startswith("text/event-stream")
            reader = PcmReader(self._options.rate_hz, "" if is_events else content_type, answer.headers)
            async for data in _event_sound(answer) if is_events else answer.content.iter_any():
                if sound := reader.take(data):
                    yield sound

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """Those that the server lists, if it does, and the configured one."""
        configured = (SpeakingVoice(self._options.voice),) if self._options.voice else ()
        try:
            listed = await self._client.json("/audio/voices")
        except SynthesizerError as error:
            if error.kind == "refused":  # OpenAI itself has no such list
                return configured
            raise
        return _voices(listed) or configured

    def _body(self, task: Task) -> dict[str, Any]:
        options = self._options
        body: dict[str, Any] = {"model": options.model, "input": task.text, "response_format": "pcm"}
        if voice := task.voice or options.voice:
            body["voice"] = voice
        if task.speed != 1.0:
            body["speed"] = task.speed
        if options.is_vllm_omni:
            body |= {"stream": True, "stream_format": "audio"}
            if options.sample and not task.voice:
                wav = base64.b64encode(options.sample.wav).decode("ascii")
                body |= {"ref_audio": f"data:audio/wav;base64,{wav}", "ref_text": options.sample.text}
        return body


async def _event_sound(answer: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    """The sound of server-sent events: `speech.audio.delta`."""
    waiting = b""
    async for data in answer.content.iter_any():
        *lines, waiting = (waiting + data).split(b"\n")
        if len(waiting) > MAX_EVENT_BYTES:
            raise invalid("the speech engine sent an event that is too long")
        for line in lines:
            if line.startswith(b"data:") and (event := line[5:].strip()) not in (b"", b"[DONE]"):
                yield _delta(event)


def _delta(event: bytes) -> bytes:
    try:
        match msgspec.json.decode(event):
            case {"type": "speech.audio.delta", "audio": str(audio)}:
                return base64.b64decode(audio, validate=True)
            case {"error": _} | {"type": "error"}:
                raise SynthesizerError("the speech engine reported an error in the middle", "broken")
    except (*UNREADABLE, binascii.Error):
        raise invalid("the speech engine sent an event that cannot be read") from None
    return b""


def _voices(listed: Any) -> tuple[SpeakingVoice, ...]:
    """What a list of voices holds: servers write names, or objects with one."""
    found: dict[str, SpeakingVoice] = {}
    for key in ("voices", "uploaded_voices", "data"):
        for entry in (listed.get(key) or []) if isinstance(listed, dict) else []:
            match entry:
                case str(name):
                    found.setdefault(name, SpeakingVoice(name))
                case {"name": str(name)} | {"id": str(name)}:
                    found.setdefault(name, SpeakingVoice(name, _languages(entry.get("languages"))))
    return tuple(found.values())


def _languages(listed: Any) -> tuple[str, ...]:
    return tuple(language for language in listed if isinstance(language, str)) if isinstance(listed, list) else ()
