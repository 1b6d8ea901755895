"""Settings of the interaction service."""

from pydantic import Field, SecretStr

from vigil.core.consolidation import DEFAULT_LEAD_TURNS
from vigil.core.session import DEFAULT_CHUNK_TURNS, MAX_PICTURES
from vigil.runtime.process.config import ProfileName, WorkerSettings


class InteractionSettings(WorkerSettings):
    """Environment variables carry the prefix `VIGIL_`, for example `VIGIL_ENGINE_URLS`."""

    http_port: int = Field(
        9103, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9203, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    capacity: int = Field(64, ge=1, le=10_000, description="Sessions that this worker holds at most")
    engine_urls: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^\s*https?://[^\s,]+(\s*,\s*https?://[^\s,]+)*\s*$",
        description="Roots of the vLLM servers, separated by commas. A session goes to one that serves its model",
    )
    engine_api_key: SecretStr = Field(SecretStr(""), description="API key that the engines ask for; empty: none")
    model: str = Field("vigil-small", min_length=1, description="Model name as the engine lists it")
    profile: ProfileName = Field("vigil-small", description="Prompt profile that the model was trained on")
    engine_deadline_s: float = Field(10.0, gt=0, le=120, description="Seconds after which an engine call is given up")
    prewarm_turns: int = Field(
        10,
        ge=0,
        le=1_000,
        description="Turns before a chunk's end at which the engine is shown the next chunk's prefix; 0: never",
    )
    memory_lead_turns: int = Field(
        DEFAULT_LEAD_TURNS,
        ge=1,
        le=1_000,
        description="Turns before a chunk's end at which a summary of what will leave the prompt is asked for",
    )
    recall_deadline_s: float = Field(
        0.15,
        ge=0,
        le=5,
        description="Seconds that a turn with a question waits for what memory holds about it; 0: nothing is recalled",
    )
    warm_up_turns: int = Field(
        DEFAULT_CHUNK_TURNS,
        ge=1,
        le=MAX_PICTURES,
        description="Turns of the longest prompt that warms an engine before sessions come; 1: the first tick alone",
    )
    warm_up_s: float = Field(20.0, gt=0, le=600, description="Seconds that the warm-up may take after its first tick")
    late_share: float = Field(
        0.05, gt=0, le=1, description="Share of late turns above which no session is admitted until it falls"
    )
    engine_images_gb: float = Field(
        4.0,
        gt=0,
        le=10_000,
        description="Picture cache of each engine in GiB (--mm-processor-cache-gb of vLLM); it limits the capacity",
    )

    @property
    def engines(self) -> tuple[str, ...]:
        """The roots of the engines."""
        return tuple(url.strip() for url in self.engine_urls.split(","))
