"""CosyVoice's gRPC server, by a stand-in that has its published messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_tools import protoc  # type: ignore[import-untyped]

from vigil.runtime.process.config import load
from vigil.testing.eventually import eventually
from vigil_tts.config import TtsSettings
from vigil_tts.synthesizers.cosyvoice_pb2 import Request, Response
from vigil_tts.synthesizers.kinds import open_synthesizer
from vigil_tts.synthesizers.port import SpeakingVoice, SynthesizerError, Task
from vigil_tts.testing.scripted_synthesizer import tone
from vigil_tts.testing.speech_engine import wav

TEXT = "A man is at the door."
TASK = Task(TEXT)
SOUND = tone(0.5, 22_050)


class StandIn:
    """Serves `Inference`. `fault` is what it does instead of speaking."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.fault = ""
        self.left = 0

    async def infer(self, request: Request, context: Any) -> AsyncIterator[Response]:
        self.asked.append(request)
        if self.fault == "refuse":
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no such speaker")
        try:
            for begin in range(0, len(SOUND), 10_001):
                if self.fault == "hang" or (self.fault == "stop" and begin):
                    await asyncio.sleep(60)
                if self.fault == "cut" and begin:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "the model was unloaded")
                yield Response(tts_audio=SOUND[begin : begin + 10_001])
        except asyncio.CancelledError:
            self.left += 1
            raise


@pytest.fixture
def stand_in() -> StandIn:
    return StandIn()


@pytest.fixture
async def target(stand_in: StandIn) -> AsyncIterator[str]:
    server = grpc.aio.server()
    inference = grpc.unary_stream_rpc_method_handler(
        stand_in.infer, request_deserializer=Request.FromString, response_serializer=Response.SerializeToString
    )
    handlers = grpc.method_handlers_generic_handler("cosyvoice.CosyVoice", {"Inference": inference})
    server.add_generic_rpc_handlers((handlers,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


@asynccontextmanager
async def opened(target: str, **fields: Any) -> AsyncIterator[Any]:
    given = {"tts_engine": "cosyvoice-grpc", "tts_url": target, "tts_voice": "anna"}
    waits = {"tts_first_s": 0.5, "tts_next_s": 0.3, "tts_rate_hz": 22_050}
    async with open_synthesizer(load(TtsSettings, {**given, **waits, **fields})) as synthesizer:
        yield synthesizer


async def spoken(target: str, task: Task = TASK, **fields: Any) -> bytes:
    async with opened(target, **fields) as synthesizer:
        sounds = [sound async for sound in synthesizer.speak(task)]
    assert {sound.sample_rate_hz for sound in sounds} == {22_050}
    return b"".join(sound.pcm for sound in sounds)


async def test_it_speaks(stand_in: StandIn, target: str) -> None:
    assert await spoken(target) == SOUND
    assert await spoken(target, Task(TEXT, voice="ben")) == SOUND
    assert [asked.sft_request.spk_id for asked in stand_in.asked] == ["anna", "ben"]
    assert stand_in.asked[0].sft_request.tts_text == TEXT


async def test_each_mode_is_a_request_of_its_own(stand_in: StandIn, target: str, tmp_path: Path) -> None:
    path = tmp_path / "sample.wav"
    path.write_bytes(wav(tone(0.1, 16_000), 16_000))
    given = {"tts_sample_file": str(path), "tts_sample_text": "Hello.", "tts_manner": "Calmly."}
    for mode in ("zero_shot", "cross_lingual", "instruct"):
        await spoken(target, TASK, tts_mode=mode, **given)
    zero_shot, cross_lingual, instruct = stand_in.asked
    assert zero_shot.zero_shot_request.prompt_text == "Hello."
    assert zero_shot.zero_shot_request.prompt_audio == tone(0.1, 16_000)
    assert cross_lingual.cross_lingual_request.prompt_audio == tone(0.1, 16_000)
    assert (instruct.instruct_request.spk_id, instruct.instruct_request.instruct_text) == ("anna", "Calmly.")


@pytest.mark.parametrize(
    ("fault", "kind"), [("hang", "timeout"), ("stop", "silent"), ("cut", "unavailable"), ("refuse", "refused")]
)
async def test_each_failure_is_told_as_what_it_is(stand_in: StandIn, target: str, fault: str, kind: str) -> None:
    stand_in.fault = fault
    with pytest.raises(SynthesizerError) as caught:
        await spoken(target)
    assert caught.value.kind == kind
    if fault in ("hang", "stop"):
        await eventually(lambda: stand_in.left == 1, what="the call is cancelled")


async def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(SynthesizerError) as caught:
        await spoken("127.0.0.1:9")
    assert caught.value.kind == "unavailable"


async def test_its_only_known_voice_is_the_configured_one(target: str) -> None:
    async with opened(target) as synthesizer:
        assert await synthesizer.voices() == (SpeakingVoice("anna"),)


def test_the_generated_code_is_that_of_the_published_messages(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "vigil_tts" / "synthesizers"
    assert protoc.main(["", f"-I{folder}", f"--python_out={tmp_path}", str(folder / "cosyvoice.proto")]) == 0
    assert (tmp_path / "cosyvoice_pb2.py").read_text() == (folder / "cosyvoice_pb2.py").read_text()
