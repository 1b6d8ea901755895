"""`SynthesizerService`: speaks a text for a caller, without a session and as fast as the engine can."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from vigil.core.errors import InvalidSpec
from vigil.core.voice import Voice
from vigil.v1 import tts_pb2 as pb
from vigil.v1.tts_pb2_grpc import SynthesizerServiceServicer
from vigil_tts.offers import MAX_TEXT_CHARS
from vigil_tts.synthesizers.port import Synthesizer, SynthesizerError, Task
from vigil_tts.text.sentences import sentences
from vigil_tts.text.spoken import spoken

NAME = "vigil.v1.SynthesizerService"
MAX_CALLS = 4  # of Synthesize at once; more are refused: sessions go first


class SynthesizerService(SynthesizerServiceServicer):
    """INVALID_ARGUMENT says which rule a request broke, RESOURCE_EXHAUSTED that too much is spoken at once, UNAVAILABLE
    that the speech engine gave no sound."""

    def __init__(self, engine: Synthesizer) -> None:
        self._engine = engine
        self._calls = 0

    async def Synthesize(  # noqa: N802  the contract's name
        self,
        request: pb.SynthesizeRequest,
        context: "grpc.aio.ServicerContext[pb.SynthesizeRequest, pb.SynthesizeResponse]",
    ) -> AsyncIterator[pb.SynthesizeResponse]:
        """Sentence by sentence; ending the call ends the work."""
        voice = await self._checked(request, context)
        if self._calls >= MAX_CALLS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_CALLS} texts are spoken at once already")
        self._calls += 1
        try:
            async with aclosing(self._spoken(request.text, voice)) as responses:
                async for response in responses:
                    yield response
        except SynthesizerError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, error.reason)
        finally:
            self._calls -= 1

    async def ListVoices(  # noqa: N802
        self,
        request: pb.ListVoicesRequest,
        context: "grpc.aio.ServicerContext[pb.ListVoicesRequest, pb.ListVoicesResponse]",
    ) -> pb.ListVoicesResponse:
        """As the engine tells them."""
        try:
            voices = await self._engine.voices()
        except SynthesizerError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, error.reason)
        return pb.ListVoicesResponse(
            voices=[pb.SpeakingVoice(name=voice.name, languages=voice.languages) for voice in voices]
        )

    async def _checked(self, request: pb.SynthesizeRequest, context: Any) -> Voice:
        if not 0 < len(request.text) <= MAX_TEXT_CHARS:
            told = f"the text has {len(request.text)} characters: give 1 to {MAX_TEXT_CHARS}"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, told)
        speed = request.speed if request.HasField("speed") else 1.0
        try:
            return Voice(name=request.voice, speed=speed, language=request.language)
        except InvalidSpec as error:
            return await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))  # type: ignore[no-any-return]

    async def _spoken(self, text: str, voice: Voice) -> Any:
        for sentence in sentences(text):
            read = spoken(sentence.text, voice.language)
            if not read:
                continue
            task = Task(read, voice.name, voice.speed, voice.language)
            async with aclosing(self._engine.speak(task)) as sounds:
                async for sound in sounds:
                    yield pb.SynthesizeResponse(
                        sentence=sentence.text,
                        sentence_begin_char=sentence.begin,
                        sample_rate_hz=sound.sample_rate_hz,
                        pcm=sound.pcm,
                    )
