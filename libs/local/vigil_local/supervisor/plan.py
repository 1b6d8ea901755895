"""What `vigil up` runs, worked out from its options. Nothing is started or written here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import OPERATOR, SYSTEM, tenant_user
from vigil.contract.service_spec import ServiceSpec, variable
from vigil.contract.services import ASR, BRAIN, GATEWAY, INGESTION, SERVICES, TTS, WEBHOOK
from vigil_client.endpoints import Endpoints
from vigil_local.supervisor import gates
from vigil_local.supervisor.layout import Binaries
from vigil_local.supervisor.ports import grpc_name, metrics_name, ports_of
from vigil_local.supervisor.supervisor import ProcessSpec
from vigil_provision import key_file, nats_config, redis_config
from vigil_provision.nats_config import NatsServer
from vigil_provision.redis_config import RedisServer
from vigil_provision.secrets import TENANT, Secrets

# Preferred ports; `vigil up` takes another one where a preferred port is in use.
PREFERRED_PORTS = {
    GATEWAY.name: GATEWAY.http_port,
    "nats": 4222,
    "nats monitor": 8222,
    "redis": 6379,
    "engine": 8000,
    **{name: port for row in SERVICES for name, port in ports_of(row).items()},
}

SPEECH = (ASR, TTS)
NATS_CONFIG = "nats.conf"
REDIS_CONFIG = "redis.conf"
REDIS_USERS = "redis-users.acl"
HOST = "127.0.0.1"
ENGINE_START_S = 240.0
# A worker is ready once the engine is, so it may wait as long as that may take.
SERVICE_START_S = ENGINE_START_S + 60.0
# The rendered camera of `vigil demo`, in the data directory.
DEMO_VIDEO = "demo.mp4"
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
    the webhook bridge, which runs when there is such a file; `speech` is the environment of the embedded speech
    engines, whose services run when it is given. `tenants` are those that have a key, `modules` those that have a NATS
    user. `console` is the folder of the built web console, if there is one."""

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
    brains: Path | None = None
    speech: Path | None = None
    tenants: tuple[str, ...] = ()
    modules: tuple[ModuleId, ...] = ()
    console: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The processes in the order they are shown, the files they read (by path), and where to reach them. `nats_file`
    is the text of NATS's configuration file for other tenants and modules, `operator_url` the address of NATS for who
    may do everything there, `system_url` for who may have it read that file; `warnings` are for the user. `moved`
    says which usual ports others have; empty: none, or nobody wanted the usual ones."""

    specs: tuple[ProcessSpec, ...]
    files: Mapping[Path, str]
    directories: tuple[Path, ...]
    endpoints: Endpoints
    nats_file: Callable[[tuple[str, ...], tuple[ModuleId, ...]], str]
    operator_url: str
    system_url: str
    warnings: tuple[str, ...] = ()
    moved: str = ""


def make_plan(options: Options) -> Plan:
    """Work out processes, files and addresses."""
    paths = _paths(options.data_dir)
    specs = [_nats(options, paths), _redis(options, paths)]
    if isinstance(options.engine, LocalEngine):
        specs.append(_engine(options, options.engine))
    specs += [_service(options, paths, row) for row in _rows(options)]
    return Plan(
        tuple(specs),
        _files(options, paths),
        (paths["jetstream"], paths["redis"]),
        _endpoints(options),
        partial(_nats_file, options),
        _nats_url(options, OPERATOR),
        _nats_url(options, SYSTEM),
        _warnings(options),
    )


def _warnings(options: Options) -> tuple[str, ...]:
    store = options.binaries.store
    return (f"{store.path} is {store.name}: {store.warning}",) if store.flaw else ()


def rows(*, webhooks: bool, speech: bool) -> tuple[ServiceSpec, ...]:
    """The services that run: all that are not on request, and of the others the webhook bridge and those of speech when
    they are asked for."""
    asked = (*((WEBHOOK,) if webhooks else ()), *(SPEECH if speech else ()))
    return tuple(row for row in SERVICES if not row.on_request or row in asked)


def _rows(options: Options) -> tuple[ServiceSpec, ...]:
    return rows(webhooks=options.webhooks is not None, speech=options.speech is not None)


def _paths(data_dir: Path) -> dict[str, Path]:
    names = {NATS_CONFIG, REDIS_CONFIG, REDIS_USERS, key_file.FILE, "jetstream", "redis"}
    return {name: data_dir / name for name in names}


def _nats_file(options: Options, tenants: tuple[str, ...], modules: tuple[ModuleId, ...]) -> str:
    """The text of NATS's configuration file when these tenants have a key, and these modules a user. It listens on
    loopback only; whoever gives no name is the reader of the tenant `demo`."""
    monitor = f"{HOST}:{options.ports['nats monitor']}"
    store = str(options.data_dir / "jetstream")
    server = NatsServer(HOST, options.ports["nats"], monitor, store, without_name=tenant_user(TENANT))
    return nats_config.render(server, {TENANT, *tenants}, options.secrets.nats_passwords(modules), modules)


def _files(options: Options, paths: Mapping[str, Path]) -> dict[Path, str]:
    redis = RedisServer(HOST, options.ports["redis"], str(paths["redis"]), str(paths[REDIS_USERS]))
    return {
        paths[NATS_CONFIG]: _nats_file(options, options.tenants, options.modules),
        paths[REDIS_CONFIG]: redis_config.render(redis),
        paths[REDIS_USERS]: redis_config.users(options.secrets.redis_password_of),
    }


def _endpoints(options: Options) -> Endpoints:
    ports = options.ports
    gateway_url = f"http://127.0.0.1:{ports[GATEWAY.name]}"
    return Endpoints(
        gateway_url=gateway_url,
        nats_url=f"nats://127.0.0.1:{ports['nats']}",
        api_key=options.secrets.api_key,
        tenant=TENANT,
        engine_url=",".join(_engine_urls(options)),
        redis_port=ports["redis"],
        monitor_url=f"http://127.0.0.1:{ports['nats monitor']}",
        model=options.model,
        profile=options.profile,
        gateway_grpc=f"127.0.0.1:{ports[grpc_name(GATEWAY)]}",
        console_url=f"{gateway_url}/" if options.console is not None else "",
        ready_urls={row.name: _ready_url(options, row) for row in _rows(options)},
    )


def _ready_url(options: Options, row: ServiceSpec) -> str:
    return f"http://127.0.0.1:{options.ports[row.name]}{row.ready_path}"


def _engine_urls(options: Options) -> tuple[str, ...]:
    match options.engine:
        case RemoteEngine(urls):
            return tuple(url.rstrip("/") for url in urls)
        case LocalEngine():
            return (f"http://127.0.0.1:{options.ports['engine']}",)


def _base(options: Options) -> dict[str, str]:
    return {**options.environment, "TMPDIR": str(options.temporary_dir)}


def _nats(options: Options, paths: Mapping[str, Path]) -> ProcessSpec:
    monitor_url = f"http://127.0.0.1:{options.ports['nats monitor']}"
    return ProcessSpec(
        name="nats",
        argv=(str(options.binaries.nats_server), "--config", str(paths[NATS_CONFIG])),
        env=_base(options),
        gate=gates.http(f"{monitor_url}/healthz"),
        liveness=gates.nats_storage(monitor_url),
    )


def _redis(options: Options, paths: Mapping[str, Path]) -> ProcessSpec:
    return ProcessSpec(
        name="redis",
        argv=(str(options.binaries.store.path), str(paths[REDIS_CONFIG])),
        env=_base(options),
        gate=gates.redis(options.ports["redis"], OPERATOR, options.secrets.redis_password_of(OPERATOR)),
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


def _service(options: Options, paths: Mapping[str, Path], row: ServiceSpec) -> ProcessSpec:
    return ProcessSpec(
        name=row.name,
        argv=(str(options.binaries.services[row.name]),),
        env=_base(options) | _variables(options, paths, row),
        gate=gates.http(_ready_url(options, row)),
        needs=("nats", "redis") if row.uses_redis else ("nats",),
        tier=2,
        gate_timeout_s=SERVICE_START_S,
    )


def _variables(options: Options, paths: Mapping[str, Path], row: ServiceSpec) -> dict[str, str]:
    """The environment variables of a service: of what is known here, what its row asks for."""
    known = _settings(options, paths) | _own_settings(options, row)
    asked = {variable(name): known[name] for name in row.wiring if name in known}
    # Every deployment without the setting has the console of its gateway's image, so no row asks for it.
    if row is BRAIN and options.brains is not None:
        asked[variable("brains_file")] = str(options.brains)
    if row is GATEWAY and options.console is not None:
        asked[variable("console_dir")] = str(options.console)
    if row is GATEWAY:  # on loopback: whoever reaches it has this machine's keys at hand anyway
        asked[variable("agent_doors")] = "true"
    return asked


def _settings(options: Options, paths: Mapping[str, Path]) -> dict[str, str]:
    """Settings that have the same value in every service that has them."""
    ports = options.ports
    known = {
        "engine_urls": ",".join(_engine_urls(options)),
        "model": options.model,
        "profile": options.profile,
        "rendered_sources": (options.data_dir / DEMO_VIDEO).as_uri(),
        "api_keys_file": str(paths[key_file.FILE]),
        "ingestion_grpc": f"127.0.0.1:{ports[grpc_name(INGESTION)]}",
        "webhooks_file": str(options.webhooks),
        "asr_folder": str(options.speech),
        "tts_folder": str(options.speech),
        # The file is its user's own, and so is this machine: a receiver may well run here.
        "webhook_allow_local": "true",
        "local_source_tenants": TENANT,  # so may a camera, and the files are its user's own
    }
    if isinstance(options.engine, LocalEngine):
        known["engine_images_gb"] = LOCAL_IMAGES_GB
    return known


def _nats_url(options: Options, user: str) -> str:
    return f"nats://{user}:{options.secrets.nats_password_of(user)}@{HOST}:{options.ports['nats']}"


def _own_settings(options: Options, row: ServiceSpec) -> dict[str, str]:
    """Settings that no two services share: ports, and who they are to NATS and Redis."""
    secrets, ports = options.secrets, options.ports
    own = {
        "nats_url": _nats_url(options, row.name),
        "redis_url": f"redis://{row.name}:{secrets.redis_password_of(row.name)}@{HOST}:{ports['redis']}/0",
        "http_port": str(ports[row.name]),
    }
    if row.grpc_port is not None:
        own["grpc_port"] = str(ports[grpc_name(row)])
    if row.metrics_port is not None:
        own["metrics_port"] = str(ports[metrics_name(row)])
    return own
