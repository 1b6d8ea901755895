"""What `vigil up` runs, worked out from its options. Nothing is started or written here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vigil_client.endpoints import Endpoints
from vigil_local.supervisor import gates, nats_config, redis_config
from vigil_local.supervisor.layout import WEBHOOK, Binaries
from vigil_local.supervisor.secrets import TENANT, Secrets, key_file
from vigil_local.supervisor.supervisor import ProcessSpec

# Preferred ports; `vigil up` takes another one where a preferred port is in use.
PREFERRED_PORTS = {
    "gateway": 8080,
    "nats": 4222,
    "nats monitor": 8222,
    "redis": 6379,
    "engine": 8000,
    "ingestion": 9101,
    "ingestion gRPC": 9201,
    "codec": 9102,
    "codec gRPC": 9202,
    "interaction": 9103,
    "interaction gRPC": 9203,
    WEBHOOK: 9108,
}

WORKERS = ("ingestion", "codec", "interaction")
ENGINE_START_S = 240.0
# Pictures that the engine remembers by UUID, in GB; the workers must know what it has.
LOCAL_IMAGES_GB = "1"


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """An engine to start: the interpreter of its environment, its start script, and the model to serve."""

    python: Path
    serve: Path
    model_dir: Path


@dataclass(frozen=True, slots=True)
class RemoteEngine:
    """Engines that run already, at least one."""

    urls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """All that the plan depends on. `environment` is what every process inherits; `webhooks` names the endpoints of
    the webhook bridge, which runs when there is such a file."""

    data_dir: Path
    temporary_dir: Path
    engine: LocalEngine | RemoteEngine
    model: str
    profile: str
    ports: Mapping[str, int]
    binaries: Binaries
    secrets: Secrets
    environment: Mapping[str, str]
    webhooks: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The processes in the order they are shown, the files they read (by path), and where to reach them."""

    specs: tuple[ProcessSpec, ...]
    files: Mapping[Path, str]
    directories: tuple[Path, ...]
    endpoints: Endpoints


def make_plan(options: Options) -> Plan:
    """Work out processes, files and addresses."""
    paths = _paths(options.data_dir)
    specs = [_nats(options, paths), _redis(options, paths)]
    if isinstance(options.engine, LocalEngine):
        specs.append(_engine(options, options.engine))
    bridge = (WEBHOOK,) if options.webhooks else ()
    specs += [_service(options, paths, name) for name in (*WORKERS, *bridge, "gateway")]
    return Plan(tuple(specs), _files(options, paths), (paths["jetstream"], paths["redis"]), _endpoints(options))


def _paths(data_dir: Path) -> dict[str, Path]:
    names = {"nats.conf", "redis.conf", "api-keys.json", "jetstream", "redis"}
    return {name: data_dir / name for name in names}


def _files(options: Options, paths: Mapping[str, Path]) -> dict[Path, str]:
    ports, secrets = options.ports, options.secrets
    return {
        paths["nats.conf"]: nats_config.render(
            ports["nats"], ports["nats monitor"], paths["jetstream"], secrets.nats_password
        ),
        paths["redis.conf"]: redis_config.render(ports["redis"], paths["redis"], secrets.redis_password),
        paths["api-keys.json"]: key_file(secrets.api_key),
    }


def _endpoints(options: Options) -> Endpoints:
    ports = options.ports
    return Endpoints(
        gateway_url=f"http://127.0.0.1:{ports['gateway']}",
        nats_url=f"nats://127.0.0.1:{ports['nats']}",
        api_key=options.secrets.api_key,
        tenant=TENANT,
        engine_url=",".join(_engine_urls(options)),
        redis_port=ports["redis"],
        monitor_url=f"http://127.0.0.1:{ports['nats monitor']}",
        model=options.model,
        profile=options.profile,
    )


def _engine_urls(options: Options) -> tuple[str, ...]:
    match options.engine:
        case RemoteEngine(urls):
            return tuple(url.rstrip("/") for url in urls)
        case LocalEngine():
            return (f"http://127.0.0.1:{options.ports['engine']}",)


def _base(options: Options) -> dict[str, str]:
    return {**options.environment, "TMPDIR": str(options.temporary_dir)}


def _nats(options: Options, paths: Mapping[str, Path]) -> ProcessSpec:
    return ProcessSpec(
        name="nats",
        argv=(str(options.binaries.nats_server), "--config", str(paths["nats.conf"])),
        env=_base(options),
        gate=gates.http(f"http://127.0.0.1:{options.ports['nats monitor']}/healthz"),
    )


def _redis(options: Options, paths: Mapping[str, Path]) -> ProcessSpec:
    return ProcessSpec(
        name="redis",
        argv=(str(options.binaries.redis_server), str(paths["redis.conf"])),
        env=_base(options),
        gate=gates.redis(options.ports["redis"], options.secrets.redis_password),
    )


def _engine(options: Options, engine: LocalEngine) -> ProcessSpec:
    port = options.ports["engine"]
    return ProcessSpec(
        name="engine",
        argv=("bash", str(engine.serve), str(engine.model_dir), options.model),
        env=_base(options)
        | {
            "VIGIL_ENGINE_PORT": str(port),
            "VIGIL_ENGINE_PYTHON": str(engine.python),
            "VIGIL_ENGINE_IMAGES_GB": LOCAL_IMAGES_GB,
        },
        gate=gates.engine(f"http://127.0.0.1:{port}", options.model),
        tier=1,
        gate_timeout_s=ENGINE_START_S,
        stop_grace_s=10.0,
    )


def _service(options: Options, paths: Mapping[str, Path], name: str) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        argv=(str(options.binaries.services[name]),),
        env=_base(options) | _service_variables(options, paths, name),
        gate=gates.http(f"http://127.0.0.1:{options.ports[name]}/readyz"),
        needs=("nats",) if name == WEBHOOK else ("nats", "redis"),
        tier=2,
        # A worker is ready once the engine is, so it may wait as long as that may take.
        gate_timeout_s=ENGINE_START_S + 60.0,
    )


def _service_variables(options: Options, paths: Mapping[str, Path], name: str) -> dict[str, str]:
    ports, secrets = options.ports, options.secrets
    variables = {
        "VIGIL_NATS_URL": f"nats://{nats_config.SERVICE_USER}:{secrets.nats_password}@127.0.0.1:{ports['nats']}",
        "VIGIL_REDIS_URL": f"redis://:{secrets.redis_password}@127.0.0.1:{ports['redis']}/0",
        "VIGIL_HTTP_PORT": str(ports[name]),
        "VIGIL_ENGINE_URLS": ",".join(_engine_urls(options)),
        "VIGIL_MODEL": options.model,
        "VIGIL_PROFILE": options.profile,
    }
    if isinstance(options.engine, LocalEngine):
        variables["VIGIL_ENGINE_IMAGES_GB"] = LOCAL_IMAGES_GB
    if name == "gateway":
        return variables | {
            "VIGIL_API_KEYS_FILE": str(paths["api-keys.json"]),
            "VIGIL_INGESTION_GRPC": f"127.0.0.1:{ports['ingestion gRPC']}",
        }
    if name == WEBHOOK:
        # The file is its user's own, and so is this machine: a receiver may well run here.
        return variables | {"VIGIL_WEBHOOKS_FILE": str(options.webhooks), "VIGIL_WEBHOOK_ALLOW_LOCAL": "true"}
    return variables | {"VIGIL_GRPC_PORT": str(ports[f"{name} gRPC"])}
