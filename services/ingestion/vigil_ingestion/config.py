"""Ingestion's settings: `VIGIL_` + the field's name."""

from typing import Annotated

from pydantic import AfterValidator, DirectoryPath, Field, FilePath, SecretStr

from vigil.runtime.process.backoff import Backoff
from vigil.runtime.process.config import WorkerSettings
from vigil.runtime.process.ice_servers import IceServersSetting, ice_servers
from vigil_ingestion.media import Limits
from vigil_ingestion.relay import Trust
from vigil_ingestion.webrtc.network import Network, addresses, port_range


def _ports(text: str) -> str:
    port_range(text)
    return text


def _addresses(text: str) -> str:
    addresses(text)
    return text


PortRange = Annotated[str, AfterValidator(_ports)]
Addresses = Annotated[str, AfterValidator(_addresses)]


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

    ice_servers: IceServersSetting = Field(
        SecretStr(""),
        description="STUN and TURN servers of WebRTC, as JSON like a browser's `iceServers`; of each kind the first "
        "one is used here. The gateway tells clients of the same ones",
    )
    webrtc_udp_ports: PortRange = Field(
        "", description="First and last UDP port for clients of WebRTC, like `50000-50019`; empty: any free port"
    )
    webrtc_advertised_address: Addresses = Field(
        "",
        description="Address, or one of IPv4 and one of IPv6, at which clients of WebRTC reach this host; empty: those "
        "that the process sees, which in a container are not reached from elsewhere",
    )
    webrtc_grace_s: float = Field(
        30.0, ge=1, le=3_600, description="Seconds that a lost client of WebRTC may come back into its session"
    )
    webrtc_video_kbps: int = Field(
        1_500,
        ge=100,
        le=100_000,
        description="Thousands of bits a second that a client of WebRTC is asked to send at most, for its video",
    )
    webrtc_peers: int = Field(16, ge=1, le=1_000, description="Clients of WebRTC that this worker receives at most")

    def is_local(self, tenant: str) -> bool:
        """Whether that tenant may watch sources on this host."""
        allowed = {name.strip() for name in self.local_source_tenants.split(",")}
        return bool(allowed & {tenant, "*"})

    @property
    def limits(self) -> Limits:
        return Limits(self.open_timeout_s, self.read_timeout_s, Trust(self.source_tls_verify, self.source_ca_file))

    @property
    def network(self) -> Network:
        """Where clients of WebRTC reach this worker."""
        return Network(
            port_range(self.webrtc_udp_ports),
            addresses(self.webrtc_advertised_address),
            ice_servers(self.ice_servers.get_secret_value()),
            self.webrtc_video_kbps,
        )

    @property
    def backoff(self) -> Backoff:
        return Backoff(most_s=self.reconnect_most_s)
