"""Settings of the tts service: `VIGIL_` and the field's name, in upper case."""

from typing import Literal

from pydantic import Field, SecretStr

from vigil.runtime.process.config import WorkerSettings
from vigil_tts.synthesizers.checked import Patience
from vigil_tts.synthesizers.cosyvoice_http import CosyVoiceMode


class TtsSettings(WorkerSettings):
    """A worker speaks for many sessions; each has one voice."""

    http_port: int = Field(
        9109, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9209, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    capacity: int = Field(64, ge=1, le=10_000, description="Sessions that this worker speaks for at most")
    tts_engine: Literal["embedded", "openai", "vllm-omni", "cosyvoice-http", "cosyvoice-grpc"] = Field(
        "embedded",
        description="The speech engine: the small English voice of this machine (`embedded`), any server with OpenAI's "
        "`/v1/audio/speech` (`openai`), vLLM-Omni's (`vllm-omni`), or CosyVoice's own servers (`cosyvoice-http`, "
        "`cosyvoice-grpc`)",
    )
    tts_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]+|[^\s/:]+:\d+)?$",
        description="Root of the speech engine's API, with its `/v1` for `openai` and `vllm-omni`; `host:port` for "
        "`cosyvoice-grpc`",
    )
    tts_model: str = Field("", description="Model name at an `openai` or `vllm-omni` engine")
    tts_voice: str = Field("", description="Voice of sessions that name none; empty: the engine's own")
    tts_key: SecretStr = Field(SecretStr(""), description="API key of the speech engine; empty: none")
    tts_rate_hz: int = Field(
        24_000,
        ge=8_000,
        le=48_000,
        description="Samples a second of raw sound whose rate the engine does not state (CosyVoice 1: 22050)",
    )
    tts_mode: CosyVoiceMode = Field(
        CosyVoiceMode.SFT,
        description="How CosyVoice is told whose voice to use: `sft` and `instruct` (a speaker of its own), "
        "`zero_shot`, `cross_lingual` and `instruct2` (the voice of a sample)",
    )
    tts_manner: str = Field("", description="Manner of speaking that `instruct` and `instruct2` describe")
    tts_sample_file: str = Field(
        "",
        description="WAV file (16 bits, mono, 16000 Hz) with the voice that CosyVoice or vLLM-Omni imitates; empty: "
        "none",
    )
    tts_sample_text: str = Field("", description="What is said in that file")
    tts_first_s: float = Field(
        4.0, gt=0, le=60, description="Seconds after which a sentence without a first sound is given up"
    )
    tts_next_s: float = Field(
        2.0, gt=0, le=60, description="Seconds without more sound after which a sentence is given up"
    )
    tts_concurrency: int = Field(8, ge=1, le=1_000, description="Sentences that the engine is given at once")
    tts_folder: str = Field(".venv-speech", description="Where `make speech` has installed the embedded voice")
    tts_threads: int = Field(1, ge=1, le=256, description="Processor cores that the embedded voice may use")

    @property
    def patience(self) -> Patience:
        """How long is waited for the speech engine."""
        return Patience(self.tts_first_s, self.tts_next_s)
