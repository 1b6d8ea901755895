"""Settings of the asr service: `VIGIL_` and the field's name, in upper case."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from vigil.runtime.process.config import WorkerSettings
from vigil_asr.endpoint import EndpointRules

Engine = Literal["embedded", "openai", "openai-realtime", "funasr", "funasr-realtime"]


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
        )
