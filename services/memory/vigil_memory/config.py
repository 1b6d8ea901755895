"""Settings of the memory service: `VIGIL_` and the field's name, in upper case."""

from typing import Literal

from pydantic import Field, SecretStr

from vigil.runtime.process.config import EndpointSettings
from vigil_memory.backlog import Limits


class MemorySettings(EndpointSettings):
    """Times are in seconds."""

    http_port: int = Field(
        9106, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9206, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    engine_urls: str = Field(
        "http://127.0.0.1:8000",
        pattern=r"^\s*https?://[^\s,]+(\s*,\s*https?://[^\s,]+)*\s*$",
        description="Roots of the vLLM servers, separated by commas. A session goes to one that serves its model",
    )
    engine_api_key: SecretStr = Field(SecretStr(""), description="API key that the engines ask for; empty: none")
    model: str = Field("vigil-small", min_length=1, description="Model name as the engine lists it")
    summariser: Literal["engine", "openai", "http"] = Field(
        "engine",
        description="Who writes the blocks of memory: the session's own engine (`engine`), the chat model at "
        "VIGIL_SUMMARISER_URL (`openai`), or a memory service of your own there (`http`)",
    )
    summariser_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="Root of the API of the summariser that is not the engine, with its `/v1` for `openai`",
    )
    summariser_model: str = Field("", description="Model name at an `openai` summariser")
    summariser_api_key: SecretStr = Field(SecretStr(""), description="API key of that summariser; empty: none")
    summariser_deadline_s: float = Field(
        120.0, gt=0, le=3_600, description="Seconds after which one try of the summariser is given up"
    )
    memory_concurrency: int = Field(2, ge=1, le=1_000, description="Blocks that this worker has written at once")
    memory_queue: int = Field(
        256,
        ge=1,
        le=10_000,
        description="Requests that wait at this worker, those that are due first; others wait in the stream",
    )
    memory_lease_s: float = Field(
        10.0, ge=0.2, le=600, description="Seconds after which another worker takes the requests of one that died"
    )
    time_zone: str = Field(
        "UTC",
        pattern=r"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$",
        description="Time zone, such as Europe/Berlin, in which questions name times of day where neither they nor "
        "their session say another",
    )
    embeddings_url: str = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="Root of an OpenAI-compatible API with `/embeddings`, with its `/v1`: then recalls also go by what "
        "a question means; empty: by its words alone",
    )
    embeddings_model: str = Field("", description="Model name at that API")
    embeddings_api_key: SecretStr = Field(SecretStr(""), description="API key of that API; empty: none")
    embeddings_least: float = Field(
        0.5,
        ge=-1,
        le=1,
        description="Cosine from which a sentence counts as near to a question; it depends on the model",
    )
    embeddings_mb: float = Field(
        64.0, gt=0, le=65_536, description="Vectors in MiB that this worker keeps, in its memory alone"
    )
    memory_retries: int = Field(3, ge=0, le=20, description="Further tries of a request whose summariser failed")

    @property
    def engines(self) -> tuple[str, ...]:
        """The roots of the engines."""
        return tuple(url.strip() for url in self.engine_urls.split(","))

    @property
    def limits(self) -> Limits:
        """How much may wait and run at this worker."""
        return Limits(self.memory_queue, self.memory_concurrency)
