"""The kind `cosyvoice-http`: CosyVoice's own HTTP server (its runtime `fastapi`, port 50000).

It takes forms and answers with bare 16-bit samples; their rate is that of the model (22,050 Hz for CosyVoice 1, 24,000
for 2 and 3), which most versions do not state.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from enum import StrEnum

import aiohttp

from vigil_tts.synthesizers.http_client import HttpClient
from vigil_tts.synthesizers.pcm import PcmReader
from vigil_tts.synthesizers.port import Sound, SpeakingVoice, Task
from vigil_tts.synthesizers.sample import Sample


class CosyVoiceMode(StrEnum):
    """How CosyVoice is told whose voice to use."""

    SFT = "sft"  # one of its own speakers, by name
    ZERO_SHOT = "zero_shot"  # the voice of a sample, whose words it is told
    CROSS_LINGUAL = "cross_lingual"  # the voice of a sample in another language
    INSTRUCT = "instruct"  # one of its own speakers, in a manner that is described
    INSTRUCT2 = "instruct2"  # the voice of a sample, in a manner that is described


OWN_SPEAKERS = (CosyVoiceMode.SFT, CosyVoiceMode.INSTRUCT)
DESCRIBED = (CosyVoiceMode.INSTRUCT, CosyVoiceMode.INSTRUCT2)


@dataclass(frozen=True, slots=True)
class CosyVoiceOptions:
    """`speaker` is asked for where a task names no voice; `manner` describes how to speak."""

    mode: CosyVoiceMode
    rate_hz: int
    speaker: str = ""
    sample: Sample | None = None
    manner: str = ""

    @property
    def own_voices(self) -> tuple[SpeakingVoice, ...]:
        """The voices that can be asked for as far as is known: CosyVoice tells none."""
        return (SpeakingVoice(self.speaker),) if self.mode in OWN_SPEAKERS and self.speaker else ()


class CosyVoiceHttp:
    """Asks the server at the client's root. CosyVoice takes no speed there."""

    def __init__(self, client: HttpClient, options: CosyVoiceOptions) -> None:
        self._client = client
        self._options = options

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """See `Synthesizer`."""
        async with self._client.post(f"/inference_{self._options.mode}", data=self._form(task)) as answer:
            reader = PcmReader(self._options.rate_hz, answer.headers.get("Content-Type", ""), answer.headers)
            async for data in answer.content.iter_any():
                if sound := reader.take(data):
                    yield sound

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """See `Synthesizer`."""
        return self._options.own_voices

    def _form(self, task: Task) -> aiohttp.FormData:
        options = self._options
        form = aiohttp.FormData({"tts_text": task.text})
        if options.mode in OWN_SPEAKERS:
            form.add_field("spk_id", task.voice or options.speaker)
        elif options.sample is not None:
            form.add_field("prompt_wav", options.sample.wav, filename="sample.wav", content_type="audio/wav")
        if options.mode is CosyVoiceMode.ZERO_SHOT and options.sample is not None:
            form.add_field("prompt_text", options.sample.text)
        if options.mode in DESCRIBED:
            form.add_field("instruct_text", options.manner)
        return form
