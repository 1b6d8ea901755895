"""The codec's settings: `VIGIL_` + the field's name."""

from pydantic import Field

from vigil.runtime.process.config import WorkerSettings


class CodecSettings(WorkerSettings):
    """A worker that passes pictures on can hold many sessions."""

    http_port: int = Field(
        9102, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9202, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    capacity: int = Field(128, ge=1, le=10_000, description="Sessions that this worker codes at most")
