"""`RecognizerService`: recognizes sound for a caller, without a session, as it comes."""

import asyncio
from collections.abc import AsyncIterator

import grpc

from vigil.core.errors import InvalidSpec
from vigil.core.hearing import check_language
from vigil.core.sound import BYTES_PER_S, SAMPLE_RATE_HZ, is_whole, length_us
from vigil.v1 import asr_pb2 as pb
from vigil.v1 import audio_pb2
from vigil.v1.asr_pb2_grpc import RecognizerServiceServicer
from vigil_asr.ear import Began, Ear, EarEvent, Ended, FalseStart, Stirred
from vigil_asr.end_of_turn.asking import Asking
from vigil_asr.ports import Ports
from vigil_asr.recognizers.port import Recognized, RecognizerError
from vigil_asr.sound import RemarkSound
from vigil_asr.transcription import transcribed

NAME = "vigil.v1.RecognizerService"
MAX_CALLS = 8  # at once; more are refused
MAX_PART_BYTES = BYTES_PER_S  # a second
WAITING = 64  # events that wait for the caller; then its sound is not read any further

Context = grpc.aio.ServicerContext[pb.RecognizeRequest, pb.RecognizeResponse]


class _Invalid(Exception):
    """The caller broke a rule."""


class RecognizerService(RecognizerServiceServicer):
    """INVALID_ARGUMENT says which rule a request broke, RESOURCE_EXHAUSTED that too many call at once, UNAVAILABLE that
    the engine gave no transcript."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._calls = 0

    async def Recognize(  # noqa: N802  the contract's name
        self, requests: AsyncIterator[pb.RecognizeRequest], context: "Context"
    ) -> AsyncIterator[pb.RecognizeResponse]:
        """Until the caller has sent all; ending the call ends everything."""
        if self._calls >= MAX_CALLS:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_CALLS} calls are recognized already")
        self._calls += 1
        call = _Call(self._ports)
        listening = asyncio.create_task(call.listen(requests))
        try:
            while (response := await call.responses.get()) is not None:
                yield response
            await listening
        except _Invalid as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        except RecognizerError as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        finally:
            self._calls -= 1
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


class _Call:
    """One call: an ear, and its remarks one after the other."""

    def __init__(self, ports: Ports) -> None:
        self.responses: asyncio.Queue[pb.RecognizeResponse | None] = asyncio.Queue(WAITING)
        self._ports = ports
        self._language = ""
        self._speaking: tuple[asyncio.Task[Recognized], int] | None = None

    async def listen(self, requests: AsyncIterator[pb.RecognizeRequest]) -> None:
        """Hear what the caller sends, and answer; None is put behind the last answer."""
        ear, heard = Ear(self._ports.detector(), self._ports.rules), 0
        asking = Asking(ear, self._ports.judge)
        try:
            async for pcm in self._sound(requests):
                for event in ear.hear(pcm, length_us(heard)):
                    asking.happened(event)
                    await self._answer(event)
                heard += len(pcm)
            for event in ear.finish():
                asking.happened(event)
                await self._answer(event)
        finally:
            await asking.close()
            if self._speaking is not None:
                self._speaking[0].cancel()
            if not (task := asyncio.current_task()) or not task.cancelling():
                await self.responses.put(None)

    async def _sound(self, requests: AsyncIterator[pb.RecognizeRequest]) -> AsyncIterator[bytes]:
        is_first = True
        async for request in requests:
            if is_first != (request.WhichOneof("part") == "options"):
                raise _Invalid("send the options in the first message, and sound in every other")
            if is_first:
                is_first = False
                self._language = _language(request.options)
                continue
            if not is_whole(request.pcm, MAX_PART_BYTES):
                raise _Invalid(
                    f"a message has {len(request.pcm):,} bytes of sound: send whole samples, at most a second"
                )
            yield request.pcm

    async def _answer(self, event: EarEvent) -> None:
        match event:
            case Stirred(time_us):
                await self._tell_activity(audio_pb2.VOICE_STATE_STARTED, time_us)
            case FalseStart(time_us):
                await self._tell_activity(audio_pb2.VOICE_STATE_FALSE_START, time_us)
            case Began(begin_us, sound):
                self._speaking = asyncio.create_task(self._recognized(sound, begin_us)), begin_us
            case Ended(end_us):
                await self._tell_activity(audio_pb2.VOICE_STATE_STOPPED, end_us)
                await self._finish(end_us)

    async def _finish(self, end_us: int) -> None:
        assert self._speaking is not None  # noqa: S101  nothing ends that has not begun
        (recognizing, begin_us), self._speaking = self._speaking, None
        try:
            recognized = await recognizing
        finally:
            recognizing.cancel()
        if recognized.text:
            await self.responses.put(self._speech(recognized, begin_us, end_us, is_final=True))

    async def _recognized(self, sound: RemarkSound, begin_us: int) -> Recognized:
        def told(text: str) -> None:
            end_us = begin_us + length_us(sound.length)
            if text and not self.responses.full():  # a later one knows more
                self.responses.put_nowait(self._speech(Recognized(text), begin_us, end_us, is_final=False))

        return await transcribed(self._ports.recognizer, sound, self._language, told, self._ports.timeout_s)

    async def _tell_activity(self, state: "audio_pb2.VoiceState.ValueType", time_us: int) -> None:
        activity = pb.RecognizedActivity(state=state, time_s=time_us / 1_000_000)
        await self.responses.put(pb.RecognizeResponse(activity=activity))

    def _speech(self, recognized: Recognized, begin_us: int, end_us: int, *, is_final: bool) -> pb.RecognizeResponse:
        speech = pb.RecognizedSpeech(
            text=recognized.text,
            begin_s=begin_us / 1_000_000,
            end_s=end_us / 1_000_000,
            is_final=is_final,
            confidence=recognized.confidence,
            language=recognized.language or self._language,
            engine=self._ports.recognizer.name,
        )
        return pb.RecognizeResponse(speech=speech)


def _language(options: pb.RecognizeOptions) -> str:
    """Raises `_Invalid`."""
    if options.sample_rate_hz != SAMPLE_RATE_HZ:
        raise _Invalid(f"sample_rate_hz is {options.sample_rate_hz}: send sound at {SAMPLE_RATE_HZ:,} Hz")
    try:
        check_language("language", options.language)
    except InvalidSpec as error:
        raise _Invalid(str(error)) from None
    return str(options.language)
