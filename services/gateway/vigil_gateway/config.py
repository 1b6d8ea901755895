"""The gateway's settings: `VIGIL_` and the field's name, in upper case."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, DirectoryPath, Field, FilePath, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from vigil.contract.api_keys import KeyRole
from vigil.runtime.process.config import ProfileName, ServiceSettings
from vigil.runtime.process.ice_servers import IceServersSetting
from vigil_gateway.console import links
from vigil_gateway.http import proxy_header


class GatewaySettings(ServiceSettings):
    """What the gateway needs. Times are in seconds."""

    host: str = Field("127.0.0.1", min_length=1, description="Address that the HTTP and gRPC endpoints listen on")
    http_port: int = Field(8080, ge=0, le=65_535, description="Port of the HTTP endpoint; 0 takes a free one")
    grpc_port: int = Field(9200, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")
    metrics_port: int = Field(
        9100,
        ge=0,
        le=65_535,
        description="Port of `/metrics`, which is for Prometheus and no client, without TLS; `/healthz` and `/readyz` "
        "are there, too; 0 takes a free one",
    )
    api_keys_file: Path = Field(
        description="JSON file of the API keys, which `vigil keys` writes; read again when it changes"
    )
    tls_cert_file: FilePath | None = Field(
        None,
        description="PEM file with the certificate chain of the HTTP and gRPC endpoints, which then speak TLS alone; "
        "read again when it changes; unset: no TLS",
    )
    tls_key_file: FilePath | None = Field(None, description="PEM file with the private key of that certificate")
    ingestion_grpc: str = Field("127.0.0.1:9201", min_length=1, description="gRPC target that probes sources")
    probe_deadline_s: float = Field(20.0, gt=0, le=120, description="Seconds that probing a source may take")
    profile: ProfileName = Field("vigil-small", description="Prompt profile that the workers run")
    model: str = Field("vigil-small", min_length=1, description="Model that the engine serves")
    rendered_sources: str = Field(
        "",
        description="Addresses, separated by commas, that show the rendered world which the profile vigil-small knows",
    )
    streams_per_tenant: int = Field(
        64,
        ge=1,
        le=10_000,
        description="Live streams that a tenant may have open, over all replicas",
    )
    previews_per_tenant: int = Field(
        8,
        ge=1,
        le=1_000,
        description="Clients of a tenant that may look at smooth pictures of sessions at once, over all replicas",
    )
    sessions_per_tenant: int = Field(
        256, ge=1, le=1_000_000, description="Sessions that a tenant may have open at once"
    )
    pushes_per_tenant_s: float = Field(
        256.0, gt=0, le=100_000, description="Pictures a second that a tenant may push, over all replicas"
    )
    pushes_in_flight_per_tenant: int = Field(
        128,
        ge=1,
        le=10_000,
        description="Pushed pictures of a tenant that may wait for their answer, over all replicas",
    )
    requests_per_key_s: float = Field(
        512.0,
        gt=0,
        le=100_000,
        description="Requests a second that one API key may make at this replica, over HTTP, gRPC and WebSockets; "
        "pictures that are pushed over an open stream are none",
    )
    login_hours: float = Field(
        12.0, gt=0, le=720, description="Hours after which a login at the console ends; its key may end it sooner"
    )
    logins_per_tenant: int = Field(
        1_000,
        ge=1,
        le=100_000,
        description="Logins that a tenant has at once; with one more, that which would end first is ended",
    )
    login_attempts_per_minute: int = Field(
        30,
        ge=1,
        le=10_000,
        description="Attempts to log in that one client address may make in a minute at this replica",
    )
    oidc_issuer: str = Field(
        "",
        pattern=r"^(https://.+|http://(127\.0\.0\.1|localhost)(:[0-9]+)?(/.*)?)?$",
        description="Issuer of the OpenID provider where people may log in at the console, as it calls itself; empty: "
        "none",
    )
    oidc_client_id: str = Field("", description="What the OpenID provider calls this gateway")
    oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="The gateway's secret at the OpenID provider; empty: it is a public client"
    )
    oidc_redirect_url: str = Field(
        "",
        pattern=r"^(https?://[^/]+/v1/login/oidc/callback)?$",
        description="Where the OpenID provider sends people back: this gateway's address and /v1/login/oidc/callback",
    )
    oidc_scope: str = Field("openid profile email", description="Scopes that are asked of the OpenID provider")
    oidc_tenant_claim: str = Field("tenant", min_length=1, description="Claim that names a person's tenant")
    oidc_role_claim: str = Field("role", min_length=1, description="Claim with a person's roles or groups")
    oidc_roles: dict[str, KeyRole] = Field(
        {str(role): role for role in KeyRole},
        description='What values of that claim mean, as JSON: `{"vigil-admins": "admin"}`; of several the highest',
    )
    agent_doors: bool = Field(
        False,
        description="Whether other agents may use Vigil: by A2A at `/a2a`, with its card at "
        "`/.well-known/agent-card.json`, and by MCP at `/mcp`, with the API keys and roles of REST",
    )
    agent_hosts: str = Field(
        "",
        pattern=r"^(\*|[A-Za-z0-9.-]+(,[A-Za-z0-9.-]+)*)?$",
        description="Names, separated by commas, by which agents reach this gateway, such as `cameras.example.org`; a "
        "request for another name is refused (DNS rebinding). `localhost` and addresses need not be listed; `*`: any "
        "name",
    )
    connections_per_client: int = Field(
        256,
        ge=1,
        le=100_000,
        description="Connections that one client address may have open at the HTTP endpoint of this replica; behind a "
        "proxy every client has the proxy's address, unless VIGIL_TRUSTED_PROXIES names it",
    )
    trusted_proxies: Annotated[str, AfterValidator(proxy_header.readable)] = Field(
        "",
        description="Addresses and networks of proxies, separated by commas, whose every connection to the HTTP "
        "endpoint begins with the client's address (PROXY protocol, version 2), which then counts as the client's; "
        "empty: none",
    )
    heartbeat_s: float = Field(
        15.0, gt=0, le=300, description="Seconds of silence on a live event stream after which a comment line is sent"
    )
    turn_deadline_s: float = Field(
        20.0, gt=0, le=120, description="Seconds after which a pushed picture without a decision is given up"
    )
    push_idle_s: float = Field(
        900.0,
        ge=1,
        le=86_400,
        description="Seconds without a pushed picture after which a session of pushed pictures ends",
    )
    whip_deadline_s: float = Field(
        20.0,
        gt=0,
        le=120,
        description="Seconds that publishing by WHIP may take: until a worker holds the session and has answered",
    )
    whip_origins: str = Field(
        "",
        pattern=r"^(\*|https?://[^\s,/]+(,https?://[^\s,/]+)*)?$",
        description="Origins of web pages, separated by commas, that may publish by WHIP from elsewhere than the "
        "gateway's own address (CORS); `*`: any; empty: none",
    )
    ice_servers: IceServersSetting = Field(
        SecretStr(""),
        description="STUN and TURN servers that WHIP clients are told to use: JSON like `iceServers` of a browser's "
        "RTCConfiguration; ingestion has the same setting",
    )
    status_interval_s: float = Field(
        2.0, gt=0, le=300, description="Seconds between two looks of a live event stream at the status of the roles"
    )

    console_dir: DirectoryPath | None = Field(
        None,
        description="Folder with the built web console (`make console`), which is then served at `/`; read once at the "
        "start; unset: there is no console",
    )
    console_links: Annotated[str, AfterValidator(links.readable)] = Field(
        "",
        description="Dashboards that the console's system page links to, as JSON of names and addresses: "
        '`{"Fleet": "https://grafana.example/d/vigil-fleet"}`',
    )

    @property
    def agent_names(self) -> tuple[str, ...]:
        """The names of `agent_hosts`."""
        return tuple(name.lower() for name in self.agent_hosts.split(",") if name)

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_redirect_url):
            raise PydanticCustomError(
                "oidc", "VIGIL_OIDC_ISSUER needs VIGIL_OIDC_CLIENT_ID and VIGIL_OIDC_REDIRECT_URL"
            )
        return self

    @model_validator(mode="after")
    def _whole_certificate(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise PydanticCustomError("tls", "set both VIGIL_TLS_CERT_FILE and VIGIL_TLS_KEY_FILE, or neither")
        return self
