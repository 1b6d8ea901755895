"""The gateway's settings: `VIGIL_` and the field's name, in upper case."""

from pathlib import Path

from pydantic import Field

from vigil.runtime.process.config import ServiceSettings


class GatewaySettings(ServiceSettings):
    """What the gateway needs. Times are in seconds."""

    host: str = Field("127.0.0.1", min_length=1, description="Address that the HTTP endpoint listens on")
    http_port: int = Field(8080, ge=0, le=65_535)
    api_keys_file: Path = Field(description='{"keys": [{"sha256": "<hex digest of the key>", "tenant": "<name>"}]}')
    ingestion_grpc: str = Field("127.0.0.1:9201", min_length=1, description="gRPC target that probes sources")
    probe_deadline_s: float = Field(15.0, gt=0, le=120)
    profile: str = Field("vigil-small", description="Prompt profile that the workers run")
    model: str = Field("vigil-small", min_length=1, description="Model that the engine serves")
    streams_per_tenant: int = Field(64, ge=1, le=10_000, description="Live event streams that a tenant may have open")
    heartbeat_s: float = Field(15.0, gt=0, le=300, description="Silence on a live event stream before a comment line")
    turn_deadline_s: float = Field(20.0, gt=0, le=120, description="An OpenAI-compatible call is given up after this")
    push_idle_s: float = Field(
        900.0, ge=1, le=86_400, description="A session without a camera ends after this long without a call"
    )
    status_interval_s: float = Field(2.0, gt=0, le=300, description="How often a live event stream looks at the roles")
