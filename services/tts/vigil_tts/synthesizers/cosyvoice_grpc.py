"""The kind `cosyvoice-grpc`: CosyVoice's own gRPC server (its runtime `grpc`, port 50000), without TLS.

Its messages are written in `cosyvoice.proto` as its server publishes them. Samples come back bare, see
`cosyvoice-http`.
"""

from collections.abc import AsyncGenerator

import grpc

from vigil_tts.synthesizers.cosyvoice_http import CosyVoiceMode, CosyVoiceOptions
from vigil_tts.synthesizers.cosyvoice_pb2 import Request, Response
from vigil_tts.synthesizers.pcm import PcmReader
from vigil_tts.synthesizers.port import Sound, SpeakingVoice, SynthesizerError, Task

METHOD = "/cosyvoice.CosyVoice/Inference"
MAX_MESSAGE_BYTES = 16 << 20  # a whole segment of speech comes in one message
_REFUSED = (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAUTHENTICATED)
GRPC_OPTIONS = (("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),)


class CosyVoiceGrpc:
    """Asks the server of a channel. CosyVoice takes no speed there, and has no `instruct2`."""

    def __init__(self, channel: grpc.aio.Channel, options: CosyVoiceOptions) -> None:
        self._infer = channel.unary_stream(
            METHOD, request_serializer=Request.SerializeToString, response_deserializer=Response.FromString
        )
        self._options = options

    async def speak(self, task: Task) -> AsyncGenerator[Sound, None]:
        """See `Synthesizer`."""
        reader = PcmReader(self._options.rate_hz)
        call = self._infer(self._request(task))
        try:
            async for response in call:
                if sound := reader.take(response.tts_audio):
                    yield sound
        except grpc.aio.AioRpcError as error:
            name = error.code().name
            kind = "refused" if error.code() in _REFUSED else "unavailable"
            raise SynthesizerError(f"the speech engine answered {name}", kind) from None
        finally:
            call.cancel()

    async def voices(self) -> tuple[SpeakingVoice, ...]:
        """See `Synthesizer`."""
        return self._options.own_voices

    def _request(self, task: Task) -> Request:
        options, speaker = self._options, task.voice or self._options.speaker
        request = Request()
        match options.mode:
            case CosyVoiceMode.SFT:
                request.sft_request.tts_text, request.sft_request.spk_id = task.text, speaker
            case CosyVoiceMode.INSTRUCT:
                request.instruct_request.tts_text, request.instruct_request.spk_id = task.text, speaker
                request.instruct_request.instruct_text = options.manner
            case CosyVoiceMode.ZERO_SHOT if options.sample is not None:
                request.zero_shot_request.tts_text = task.text
                request.zero_shot_request.prompt_text = options.sample.text
                request.zero_shot_request.prompt_audio = options.sample.pcm
            case _ if options.sample is not None:
                request.cross_lingual_request.tts_text = task.text
                request.cross_lingual_request.prompt_audio = options.sample.pcm
        return request
