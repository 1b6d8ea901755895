"""Configuration: read once from `VIGIL_…` variables, typed, frozen, validated, printed with secrets masked.

Nothing else in a service reads the environment. A service derives its own settings from `WorkerSettings` (from
`EndpointSettings` when it claims no sessions, from `ServiceSettings` when it brings its own HTTP server) and adds
fields; the variable of a field is `VIGIL_` + its name. A setting without a variable is read from the file of its name
in `VIGIL_SECRETS_DIR`, where there is one: a password in a variable shows in every dump of the environment.
"""

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, FilePath, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from vigil.core.errors import UnknownProfile
from vigil.core.profile import profile
from vigil.runtime.process.redaction import HIDDEN, redacted_list

ENV_PREFIX = "VIGIL_"
_SERVICE_LINK = re.compile(r"(tcp|udp|sctp)://[^\s/]+")
_UNREADABLE = "it is not scheme://host:port: check host, port and brackets, and special characters in a password"

Settings = TypeVar("Settings", bound="ServiceSettings")


class ConfigInvalid(Exception):
    """The configuration breaks a rule. `problems` has one line for each variable, ready to be shown."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _readable(url: str) -> str:
    """`url` when it names a host or a socket's path, and its port, if any, is a number. An empty `url` stays empty."""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        _ = parts.port
        named = parts.hostname or (parts.scheme == "unix" and parts.path)
    except ValueError:
        named = None
    if url and not named:
        raise PydanticCustomError("url", _UNREADABLE)
    return url


def _all_readable(urls: str) -> str:
    """`urls` when every one of them, separated by commas, is `_readable`."""
    for url in urls.split(","):
        if not url:
            raise PydanticCustomError("url", _UNREADABLE)
        _readable(url)
    return urls


def _known_profile(name: str) -> str:
    """`name` when a prompt profile has it."""
    try:
        return profile(name).name
    except UnknownProfile as error:
        raise PydanticCustomError("profile", "{why}", {"why": str(error)}) from None


Url = Annotated[str, AfterValidator(_readable)]
ProfileName = Annotated[str, AfterValidator(_known_profile)]
Urls = Annotated[str, AfterValidator(_all_readable)]


class _SecretFiles(PydanticBaseSettingsSource):
    """The settings that stand in files of `secrets_dir`, each named like its setting; white space around is cut off.

    Whatever else lies in the folder is passed over. Raises `ConfigInvalid` when there is no such folder, or when a file
    in it cannot be read.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = Path(self.current_state["secrets_dir"]) / field_name
        try:
            value = path.read_text("utf-8").strip()
        except FileNotFoundError:
            value = None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigInvalid((f"VIGIL_SECRETS_DIR: the file {path} cannot be read: {why}",)) from None
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        folder = self.current_state.get("secrets_dir")
        if not folder:
            return {}
        if not Path(folder).is_dir():
            raise ConfigInvalid((f"VIGIL_SECRETS_DIR: {folder} is not a folder: mount the secrets there, or unset it",))
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, _, is_complex = self.get_field_value(field, name)
            if value is not None:
                found[name] = self.prepare_field_value(name, field, value, is_complex)
        return found


class ServiceSettings(BaseSettings):
    """What every service needs. Times are in seconds."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    nats_url: Urls = Field(
        "nats://127.0.0.1:4222",
        pattern=r"^(nats|tls|ws|wss)://",
        description="Addresses of the NATS servers, separated by commas; user and password may stand in them",
    )
    redis_url: Url = Field(
        "redis://127.0.0.1:6379/0",
        pattern=r"^(redis|rediss|unix)://",
        description="Address of Redis; user and password may stand in it",
    )
    ca_file: FilePath | None = Field(
        None,
        description="PEM file of authorities that may vouch for NATS (`tls://`), Redis (`rediss://`), `https://` "
        "engines, brains and their tool servers, beside those of the system; read again when it changes",
    )
    stream_replicas: int = Field(
        1, ge=1, le=5, description="Servers of the NATS cluster that keep each stored message; every service the same"
    )
    secrets_dir: str = Field(
        "",
        description="Folder with files that are named like settings (`nats_url`, `redis_url`) and hold their values; a "
        "variable of the same setting comes first; empty: there is none",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged")
    otlp_endpoint: Url = Field(
        "",
        pattern=r"^(https?://.*)?$",
        description="Address of the OTLP/gRPC collector of traces; empty: no traces are exported",
    )
    trace_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Share of the traces that are recorded where a collector is given; a trace that another service "
        "began is recorded whole, or not at all",
    )
    worker: str = Field(
        default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}"[-64:],
        pattern=r"^[A-Za-z0-9._-]{1,64}$",
        description="Name of this process in leases, status and logs; by default host name and process id",
    )
    drain_s: float = Field(12.0, gt=0, le=300, description="Seconds that a service may take to stop after SIGTERM")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What comes first holds: values of the caller, variables, files of `secrets_dir`, defaults."""
        return init_settings, env_settings, _SecretFiles(settings_cls)


class EndpointSettings(ServiceSettings):
    """A service that has the HTTP and gRPC endpoints of the life cycle. Port 0 takes a free one."""

    host: str = Field("127.0.0.1", min_length=1, description="Address that the HTTP and gRPC endpoints listen on")
    http_port: int = Field(
        0, ge=0, le=65_535, description="Port of the health and metrics endpoint; 0 takes a free one"
    )
    grpc_port: int = Field(0, ge=0, le=65_535, description="Port of the gRPC endpoint; 0 takes a free one")


class WorkerSettings(EndpointSettings):
    """A service that claims sessions."""

    capacity: int = Field(16, ge=1, le=10_000, description="Sessions that this worker holds at most")


def named_secret(variable: str) -> str:
    """The value of a variable that a file of the operator names (`VIGIL_…`); empty where it is not set. Raises
    `ValueError` for any other variable: such a file opens nothing else of the environment."""
    if not variable.startswith(ENV_PREFIX):
        raise ValueError(f"the variable {variable} does not begin with {ENV_PREFIX}")
    return os.environ.get(variable, "")  # noqa: TID251  this is where the environment is read


def load(kind: type[Settings], values: Mapping[str, Any] | None = None) -> Settings:
    """Read settings of `kind` from the environment; `values` (field name to value) come first. What `service_links`
    names is passed over: such a field keeps its default.

    Raises `ConfigInvalid` with one line for each variable that is wrong. A secret's value is never part of a line.
    """
    defaults = {name: kind.model_fields[name].default for name in service_links(kind)}
    try:
        return kind(**{**defaults, **dict(values or {})})
    except ValidationError as error:
        raise ConfigInvalid(tuple(_problem(problem) for problem in error.errors())) from None


def service_links(kind: type[ServiceSettings]) -> dict[str, str]:
    """The ports of `kind` whose variable holds the address of a service, and that address.

    Kubernetes gives each container `<SERVICE>_PORT=tcp://10.96.1.2:8080` for every service of its namespace, and
    Docker for every link: a service that is called `vigil-http` so overwrites `VIGIL_HTTP_PORT`. A port is a number, so
    nobody can have meant that.
    """
    ports = {f"{ENV_PREFIX}{name.upper()}": name for name in kind.model_fields if name.endswith("_port")}
    return {
        ports[variable.upper()]: value
        for variable, value in os.environ.items()  # noqa: TID251  this is that module
        if variable.upper() in ports and _SERVICE_LINK.fullmatch(value)
    }


def shown(settings: ServiceSettings) -> dict[str, Any]:
    """The settings as they may be logged: secrets and the passwords in URLs are masked."""
    return {name: _masked(getattr(settings, name)) for name in type(settings).model_fields}


def _masked(value: Any) -> Any:
    match value:
        case SecretStr():
            return HIDDEN if value.get_secret_value() else ""
        case str() if "://" in value:
            return redacted_list(value)
        case str() | int() | float() | bool() | None:
            return value
        case _:
            return str(value)


def _problem(error: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    # What is wrong with several settings together names them itself.
    return f"{ENV_PREFIX}{name.upper()}: {error['msg']}" if name else str(error["msg"])
