"""Everything that `vigil up` runs, as one context: open it and Vigil is healthy, leave it and nothing is left."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from vigil.contract.api_keys import tenants_of
from vigil.contract.services import SERVICES
from vigil_client import endpoints as endpoints_file
from vigil_client.endpoints import Endpoints
from vigil_local.errors import DiskFull, Missing
from vigil_local.supervisor import disk, gates, layout, lock, ports
from vigil_local.supervisor.plan import (
    NATS_CONFIG,
    PREFERRED_PORTS,
    LocalEngine,
    Options,
    Plan,
    RemoteEngine,
    make_plan,
    rows,
)
from vigil_local.supervisor.supervisor import Report, State, Status, Supervisor
from vigil_local.supervisor.tenants import follow_tenants
from vigil_provision import key_file, module_file, secrets
from vigil_provision.commands.streams import make_streams
from vigil_provision.errors import ProvisionError
from vigil_provision.keys import with_own
from vigil_provision.private_file import write_private

RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `vigil up` was asked for. Without an `engine_url` (one, or several separated by commas) the engine is
    started from `model_dir`; with `webhooks` the webhook bridge runs too, with
    `speech` the services that hear and speak, and `brains` names who answers delegated questions."""

    model_dir: Path
    engine_url: str = ""
    model: str = ""
    profile: str = "vigil-small"
    data_dir: Path = endpoints_file.DATA_DIR
    port_base: int = 0
    engine_python: Path | None = None
    webhooks: Path | None = None
    brains: Path | None = None
    speech: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A healthy Vigil on this machine. `warnings` are what its user should know all the same, `moved` says which usual
    ports others have."""

    endpoints: Endpoints
    supervisor: Supervisor
    warnings: tuple[str, ...] = ()
    moved: str = ""


@asynccontextmanager
async def running(
    options: UpOptions, report: Report, say: Callable[[str], None] = lambda _: None
) -> AsyncIterator[Running]:
    """Start everything, wait until it is healthy, stop it at the end. `say` gets what happens meanwhile to the disk.

    Raises `AlreadyRunning`, `DiskFull`, `PortInUse`, `Missing` before anything is started, `ProcessFailed` after.
    """
    data_dir = options.data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    if short := disk.shortage(data_dir):
        raise DiskFull(
            short, f"make room: Vigil needs {disk.FULL_BYTES / 1e6:.0f} MB to start, doctor says how much to run"
        )
    # Sockets in a short path (the system limits theirs to 107 bytes), which goes away with everything in it.
    with lock.held(data_dir / "lock"), tempfile.TemporaryDirectory(prefix="vigil-") as temporary:
        plan = prepare(options, data_dir, Path(temporary))
        await _check_remote(options)
        path = data_dir / endpoints_file.FILE
        publisher = _Publisher(path, plan.endpoints, report)
        remove = (path, Path(temporary))
        try:
            async with (
                disk.watched(data_dir, say),
                Supervisor(plan.specs, data_dir / "logs", publisher.changed, remove) as supervisor,
                _following(plan, data_dir),
                _declaring(plan, say),
            ):
                await supervisor.ready()
                publisher.publish()
                yield Running(publisher.endpoints, supervisor, plan.warnings, plan.moved)
        finally:
            publisher.close()


@asynccontextmanager
async def _following(plan: Plan, data_dir: Path) -> AsyncIterator[None]:
    """The NATS users follow the tenants of the key file and the modules while the block runs."""
    config = data_dir / NATS_CONFIG
    following = asyncio.create_task(
        follow_tenants(data_dir, config, plan.nats_file, plan.system_url), name="follow tenants"
    )
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait({following})


@asynccontextmanager
async def _declaring(plan: Plan, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Make the streams, or bring those of an older release up to date, once NATS is there. `say` gets why it failed."""

    async def declared() -> None:
        try:
            await make_streams(plan.operator_url)
        except ProvisionError as error:
            say(str(error))

    declaring = asyncio.create_task(declared(), name="declare streams")
    try:
        yield
    finally:
        declaring.cancel()
        await asyncio.wait({declaring})


def prepare(options: UpOptions, data_dir: Path, temporary_dir: Path) -> Plan:
    """Check what must be there, choose ports, write the configuration files."""
    engine, webhooks, speech = _engine(options), _webhooks(options), _speech(options)
    chosen = _ports(options, engine)
    made = secrets.load_or_create(data_dir / secrets.FILE)
    now = datetime.now(UTC).replace(microsecond=0)
    keys = key_file.change(data_dir / key_file.FILE, lambda keys: with_own(keys, made.api_key, secrets.TENANT, now))
    plan = make_plan(
        Options(
            data_dir=data_dir,
            temporary_dir=temporary_dir,
            engine=engine,
            model=options.model or options.model_dir.name,
            profile=options.profile,
            ports=chosen,
            binaries=layout.binaries(rows(webhooks=webhooks is not None, speech=options.speech)),
            secrets=made,
            environment=layout.inherited(),
            webhooks=webhooks,
            brains=_brains(options),
            speech=speech,
            tenants=tenants_of(keys),
            modules=module_file.read(data_dir / module_file.FILE),
            console=layout.console(),
        )
    )
    plan = replace(plan, moved="" if options.port_base else ports.moved(PREFERRED_PORTS, chosen))
    for directory in plan.directories:
        directory.mkdir(mode=0o700, exist_ok=True)
    for path, text in plan.files.items():
        write_private(path, text)
    return plan


async def _check_remote(options: UpOptions) -> None:
    """Return when every engine that runs elsewhere answers and has the model. Raises `Missing`."""
    for url in _urls(options):
        if why := await gates.engine(url, options.model)():
            raise Missing(
                f"the engine at {url} cannot be used: {why}",
                "start it, or correct --engine-url (the server's root, without /v1) and --model",
            )


def _urls(options: UpOptions) -> tuple[str, ...]:
    """The addresses of the engines that run elsewhere; none when the engine is to be started here."""
    return tuple(url.strip().rstrip("/") for url in options.engine_url.split(",") if url.strip())


def _ports(options: UpOptions, engine: LocalEngine | RemoteEngine) -> dict[str, int]:
    running = rows(webhooks=options.webhooks is not None, speech=options.speech)
    unused = {name for row in SERVICES if row not in running for name in ports.ports_of(row)}
    if not isinstance(engine, LocalEngine):
        unused.add("engine")
    wanted = {name: port for name, port in PREFERRED_PORTS.items() if name not in unused}
    return ports.explicit(list(wanted), options.port_base) if options.port_base else ports.chosen(wanted)


def _engine(options: UpOptions) -> LocalEngine | RemoteEngine:
    if urls := _urls(options):
        if not options.model:
            raise Missing("--engine-url needs --model", "name the model as the engine's /v1/models lists it")
        return RemoteEngine(urls)
    root = layout.repository()
    if root is None:
        raise Missing(
            "the engine's start script is not here",
            "run inside the Vigil repository, or use a running engine with --engine-url URL --model NAME",
        )
    python = options.engine_python or root / layout.ENGINE_PYTHON
    if not python.exists():
        raise Missing(f"the engine environment is not there ({python})", "make it with `make engine`")
    model_dir = options.model_dir if options.model_dir.exists() else root / options.model_dir
    if not (model_dir / "config.json").exists():
        raise Missing(f"{options.model_dir} is no model directory: it has no config.json", "give another --model-dir")
    return LocalEngine(python, root / layout.SERVE, model_dir.resolve())


def _brains(options: UpOptions) -> Path | None:
    """The file of brains, if one was given; the service checks what is in it. Raises `Missing`."""
    if options.brains is not None and not options.brains.is_file():
        raise Missing(f"there is no file {options.brains}", "give --brains the JSON file that names the brains")
    return options.brains.resolve() if options.brains else None


def _webhooks(options: UpOptions) -> Path | None:
    """The file of the webhook endpoints, if one was given; the bridge checks what is in it. Raises `Missing`."""
    if options.webhooks is not None and not options.webhooks.is_file():
        raise Missing(f"there is no file {options.webhooks}", "give --webhooks the JSON file that names the endpoints")
    return options.webhooks.resolve() if options.webhooks else None


def _speech(options: UpOptions) -> Path | None:
    """The environment of the embedded speech engines, if they were asked for. Raises `Missing`."""
    if not options.speech:
        return None
    folder = (layout.repository() or Path.cwd()) / layout.SPEECH
    if not layout.has_speech(folder):
        raise Missing(f"the embedded speech engines are not there ({folder})", "install them with `make speech`")
    return folder


class _Publisher:
    """Keeps the endpoints file up to date: written once everything is healthy, and again when a process id changes.

    A full disk is no reason to end: the file is written when there is room again. Until then it is that of before.
    """

    def __init__(self, path: Path, endpoints: Endpoints, report: Report) -> None:
        self.endpoints = replace(endpoints, supervisor_pid=os.getpid())
        self._path = path
        self._report = report
        self._published = False
        self._retry: asyncio.TimerHandle | None = None

    def changed(self, status: Status) -> None:
        """Report a change, and write the endpoints file again if a process id changed."""
        pids = dict(self.endpoints.pids)
        if status.state is State.STOPPED:
            pids.pop(status.name, None)
        elif status.pid:
            pids[status.name] = status.pid
        if pids != self.endpoints.pids:
            self.endpoints = replace(self.endpoints, pids=pids)
            if self._published:
                self.publish()
        self._report(status)

    def publish(self) -> None:
        """Write the file; try again every `RETRY_S` while it cannot be written."""
        self._published = True
        self._cancel_retry()
        try:
            endpoints_file.write(self._path, self.endpoints)
        except OSError:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self.publish)

    def close(self) -> None:
        """Remove the file."""
        self._published = False
        self._cancel_retry()
        self._path.unlink(missing_ok=True)

    def _cancel_retry(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
