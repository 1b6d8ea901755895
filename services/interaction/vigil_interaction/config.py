"""Settings of the interaction service."""

from pydantic import Field, SecretStr

from vigil.core.session import DEFAULT_CHUNK_TURNS, MAX_PICTURES
from vigil.runtime.process.config import WorkerSettings


class InteractionSettings(WorkerSettings):
    """Environment variables carry the prefix `VIGIL_`, for example `VIGIL_ENGINE_URLS`."""

    http_port: int = Field(9103, ge=0, le=65_535)
    grpc_port: int = Field(9203, ge=0, le=65_535)
    capacity: int = Field(64, ge=1, le=10_000, description="Sessions this worker ticks at once")
    engine_urls: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^\s*https?://[^\s,]+(\s*,\s*https?://[^\s,]+)*\s*$",
        description="Roots of the vLLM servers, separated by commas. A session goes to one that serves its model",
    )
    engine_api_key: SecretStr = SecretStr("")
    model: str = Field("vigil-small", min_length=1, description="Model name as the engine lists it")
    profile: str = Field("vigil-small", min_length=1, description="Prompt profile that the model was trained on")
    engine_deadline_s: float = Field(10.0, gt=0, le=120, description="An engine call is given up after this")
    prewarm_turns: int = Field(
        10, ge=0, le=1_000, description="Turns before a chunk's end at which the engine first sees the next; 0: never"
    )
    warm_up_turns: int = Field(
        DEFAULT_CHUNK_TURNS,
        ge=1,
        le=MAX_PICTURES,
        description="Warm each engine with prompts of up to this many turns before sessions come; 1: with one alone",
    )
    warm_up_s: float = Field(20.0, gt=0, le=600, description="Prompts longer than the first are given up after this")
    late_share: float = Field(
        0.05, gt=0, le=1, description="Share of late turns above which no session is admitted until it falls"
    )
    engine_images_gb: float = Field(
        4.0, gt=0, le=10_000, description="Picture cache of each engine (--mm-processor-cache-gb): it limits capacity"
    )

    @property
    def engines(self) -> tuple[str, ...]:
        """The roots of the engines."""
        return tuple(url.strip() for url in self.engine_urls.split(","))
