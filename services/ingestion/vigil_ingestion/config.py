"""Ingestion's settings: `VIGIL_` + the field's name."""

from pydantic import DirectoryPath, Field, FilePath

from vigil.runtime.process.backoff import Backoff
from vigil.runtime.process.config import WorkerSettings
from vigil_ingestion.media import Limits
from vigil_ingestion.relay import Trust


class IngestionSettings(WorkerSettings):
    """Times are in seconds. Sources on this host, and files, are refused where nothing here allows them."""

    http_port: int = Field(
        9101, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(9201, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    file_root: DirectoryPath | None = Field(
        None, description="Folder below which every tenant may play files; none: only those of local_source_tenants"
    )
    local_source_tenants: str = Field(
        "",
        pattern=r"^\s*(\*|[A-Za-z0-9_-]+(\s*,\s*[A-Za-z0-9_-]+)*)?\s*$",
        description="Tenants, separated by commas, that may watch sources on this host: its addresses and, without "
        "file_root, every file that the process can read. `*`: all tenants. Others could find out what runs here",
    )
    source_tls_verify: bool = Field(
        True, description="Whether the certificates of rtsps:// and https:// sources must be trusted"
    )
    source_ca_file: FilePath | None = Field(
        None, description="Certificates of the authorities that are trusted for sources; none: those of the system"
    )
    open_timeout_s: float = Field(9.0, gt=0, le=120, description="Seconds that opening a source may take")
    read_timeout_s: float = Field(
        5.0,
        gt=0,
        le=120,
        description="Seconds of silence after which a source is opened again; 20 where it sends as rarely by itself",
    )
    reconnect_most_s: float = Field(
        5.0, ge=0.5, le=3_600, description="Longest wait in seconds before a source is opened again"
    )

    def is_local(self, tenant: str) -> bool:
        """Whether that tenant may watch sources on this host."""
        allowed = {name.strip() for name in self.local_source_tenants.split(",")}
        return bool(allowed & {tenant, "*"})

    @property
    def limits(self) -> Limits:
        return Limits(self.open_timeout_s, self.read_timeout_s, Trust(self.source_tls_verify, self.source_ca_file))

    @property
    def backoff(self) -> Backoff:
        return Backoff(most_s=self.reconnect_most_s)
