"""Settings of the brain service: `VIGIL_` and the field's name, in upper case."""

from pathlib import Path

from pydantic import Field

from vigil.runtime.process.config import EndpointSettings
from vigil_brain.backlog import Limits


class BrainSettings(EndpointSettings):
    """Times are in seconds."""

    http_port: int = Field(
        9105, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9205, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    brains_file: Path | None = Field(
        None,
        description="JSON file of the brains that answer delegated questions, read again when it changes; without one "
        "the embedded brain answers (`make brain`)",
    )
    brain_concurrency: int = Field(4, ge=1, le=1_000, description="Tasks that this worker works on at once")
    brain_queue: int = Field(
        64,
        ge=1,
        le=10_000,
        description="Tasks that wait at this worker, the most urgent ones; others wait in the stream",
    )
    brain_tenant_tasks: int = Field(
        32, ge=1, le=10_000, description="Tasks of one tenant that wait or run at this worker; more are refused"
    )
    brain_session_tasks: int = Field(
        8, ge=1, le=1_000, description="Tasks of one session that wait or run at this worker; more are refused"
    )
    brain_lease_s: float = Field(
        2.0, ge=0.2, le=60, description="Seconds after which another worker does the tasks of one that died"
    )
    brain_retries: int = Field(
        2, ge=0, le=10, description="Further tries of a task whose brain failed in a way that may pass"
    )
    brain_snapshot_bytes: int = Field(
        8 << 20, ge=0, le=64 << 20, description="Bytes of the pictures that go with one question, the newest first"
    )
    approval_timeout_s: float = Field(
        300.0, gt=0, le=86_400, description="Seconds after which an approval that nobody decided is refused"
    )

    @property
    def limits(self) -> Limits:
        """How much may wait and run at this worker."""
        return Limits(self.brain_queue, self.brain_concurrency, self.brain_tenant_tasks, self.brain_session_tasks)
