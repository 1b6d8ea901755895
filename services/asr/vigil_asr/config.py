"""Settings of the asr service: `VIGIL_` and the field's name, in upper case."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from vigil.runtime.process.config import WorkerSettings
from vigil_asr.endpoint import EndpointRules

Engine = Literal["embedded", "openai", "openai-realtime", "funasr", "funasr-realtime"]
LEAST_JUDGED_MS = 400  # of silence: a judge is asked after 200, and needs some time


class AsrSettings(WorkerSettings):
    """Times are in seconds where their names say nothing else."""

    http_port: int = Field(
        9107, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9207, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    capacity: int = Field(16, ge=1, le=10_000, description="Sessions that this worker hears at most")
    asr_engine: Engine = Field(
        "embedded",
        description="What recognizes speech: Whisper on this machine's CPU (`embedded`, by `make speech`), any engine "
        "with OpenAI's `/v1/audio/transcriptions` (`openai`) or realtime endpoint (`openai-realtime`), or FunASR's "
        "classic WebSocket server (`funasr`) or realtime server (`funasr-realtime`)",
    )
    asr_url: str = Field(
        "",
        pattern=r"^((https?|wss?)://[^\s]+)?$",
        description="Address of the engine that is not embedded, with the `/v1` of OpenAI's",
    )
    asr_key: SecretStr = Field(SecretStr(""), description="API key that the engine asks for; empty: none")
    asr_model: str = Field(
        "",
        description="Model that recognizes; of the embedded engine `whisper-tiny.en` (its default, which hears other "
        "languages by whisper-base) or `whisper-base`",
    )
    asr_folder: Path = Field(Path(".venv-speech"), description="Where `make speech` installed the embedded engine")
    asr_threads: int = Field(1, ge=1, le=256, description="Cores that the embedded engine may use")
    asr_rate_hz: Literal[16_000, 24_000] = Field(
        16_000, description="Rate at which an `openai-realtime` engine wants sound: OpenAI 24000, vLLM 16000"
    )
    asr_partial_ms: int = Field(
        300,
        ge=0,
        le=10_000,
        description="Milliseconds of speech between two partial transcripts that an `openai` or the embedded engine is "
        "asked for, each with all of the sound so far; 0: none",
    )
    asr_timeout_s: float = Field(
        10.0, gt=0, le=120, description="Seconds after the end of a remark in which its transcript must be there"
    )
    asr_end_silence_ms: int = Field(500, ge=200, le=5_000, description="Milliseconds of silence that end a remark")
    asr_end_of_turn: Literal["silence", "semantic"] = Field(
        "silence",
        description="What ends a remark: `silence` alone, or a model that may delay that (`semantic`, installed by "
        "`make speech`): a pause that it judges incomplete ends the remark only after VIGIL_ASR_LONGEST_SILENCE_MS",
    )
    asr_longest_silence_ms: int = Field(
        1_500, ge=400, le=5_000, description="Milliseconds of silence that end a remark which was judged incomplete"
    )
    asr_complete_from: float = Field(
        0.7,
        gt=0,
        le=1,
        description="Probability of a complete turn from which on a remark ends as by silence alone; with a higher one "
        "more pauses are waited for",
    )
    asr_longest_s: float = Field(
        28.0, ge=2, le=28, description="Seconds after which a remark is cut; who speaks on begins another"
    )
    asr_speech_threshold: float = Field(
        0.5, ge=0.1, le=0.95, description="Probability from which on sound counts as speech"
    )
    asr_least_confidence: float = Field(
        0.35, ge=0, le=1, description="Confidence of the engine below which words are taken for noise"
    )

    @property
    def rules(self) -> EndpointRules:
        """Where remarks begin and end."""
        return EndpointRules(
            threshold=self.asr_speech_threshold,
            end_silence_ms=self.asr_end_silence_ms,
            longest_ms=int(self.asr_longest_s * 1_000),
            longest_silence_ms=self.asr_longest_silence_ms if self.asr_end_of_turn == "semantic" else None,
            complete_from=self.asr_complete_from,
        )

    @model_validator(mode="after")
    def _time_to_judge(self) -> Self:
        if self.asr_end_of_turn == "semantic" and not (
            LEAST_JUDGED_MS <= self.asr_end_silence_ms < self.asr_longest_silence_ms
        ):
            raise PydanticCustomError(
                "end_of_turn",
                "VIGIL_ASR_END_OF_TURN=semantic needs a VIGIL_ASR_END_SILENCE_MS of at least "
                f"{LEAST_JUDGED_MS}, below VIGIL_ASR_LONGEST_SILENCE_MS",
            )
        return self
