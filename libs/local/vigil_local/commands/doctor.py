"""`vigil doctor`: checks everything that Vigil needs here and says how to mend what is wrong."""

import asyncio
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from vigil.contract.service_spec import ServiceSpec
from vigil.contract.services import SERVICES
from vigil_client.commands.running import run
from vigil_client.commands.target import DataDir
from vigil_client.endpoints import DATA_DIR, FILE, Endpoints, read
from vigil_client.errors import ClientError
from vigil_local.commands import cluster_checks, compose_checks
from vigil_local.commands.check import Check, output_of, report
from vigil_local.commands.up import MODEL_DIR, EnginePython, ModelDir
from vigil_local.supervisor import gates, layout, ports, store_server
from vigil_local.supervisor.plan import PREFERRED_PORTS
from vigil_local.supervisor.store_server import MEND, StoreServer

NEEDED_DISK_BYTES = 2 << 30
NEEDED_MEMORY_BYTES = 4 << 30
IMPORT_S = 60.0
SYSTEM_PYTHON = "/usr/bin/python3"
RTSP_PACKAGES = (
    "python3-gi",
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
)
MODEL_FILES = ("config.json", "tokenizer_config.json", "preprocessor_config.json")


ByCompose = Annotated[bool, typer.Option("--compose", help="Check a deployment by Docker Compose instead.")]
Layers = Annotated[list[Path] | None, typer.Option("--layer", help="A compose file over deploy/compose.yaml.")]
ByCluster = Annotated[bool, typer.Option("--cluster", help="Check a release of the chart on Kubernetes instead.")]
Namespace = Annotated[str, typer.Option("--namespace", help="With --cluster: the release's namespace.")]
Release = Annotated[str, typer.Option("--release", help="With --cluster: its name.")]


def doctor(
    data_dir: DataDir = DATA_DIR,
    model_dir: ModelDir = MODEL_DIR,
    engine_python: EnginePython = None,
    by_compose: ByCompose = False,
    layer: Layers = None,
    by_cluster: ByCluster = False,
    namespace: Namespace = "vigil",
    release: Release = "vigil",
) -> None:
    """Check what Vigil needs on this machine, and what runs. Exit status 1 when something must be mended.

    \b
    Examples:
      vigil doctor
      vigil doctor --compose
      vigil doctor --compose --layer deploy/compose.gpu.yaml
      vigil doctor --cluster --namespace watch
    """
    if by_compose or layer:
        run(_compose(tuple(layer or ())))
    if by_cluster:
        run(_cluster(namespace, release))
    run(_doctor(data_dir, model_dir, engine_python))


async def _compose(layers: tuple[Path, ...]) -> bool:
    """Docker, the files, the images and the containers, and room for them."""
    root = layout.repository() or Path.cwd()
    base = compose_checks.BASE if compose_checks.BASE.exists() else root / compose_checks.BASE
    found = await compose_checks.checks(compose_checks.Compose((base, *layers)))
    return report([*found, disk(root), memory(Path("/proc/meminfo"))])


async def _cluster(namespace: str, release: str) -> bool:
    """The cluster that kubectl means, and what of the release runs there."""
    return report(await cluster_checks.checks(cluster_checks.Cluster(namespace, release)))


async def _doctor(data_dir: Path, model_dir: Path, engine_python: Path | None) -> bool:
    paths = _paths(data_dir, model_dir, engine_python)
    checks = [
        python_version(sys.version_info[:2]),
        *programs(),
        await engine_environment(paths.engine_python),
        model(paths.model_dir),
        disk(paths.data_dir),
        memory(Path("/proc/meminfo")),
        *await running_vigil(paths.data_dir),
        speech(paths.speech),
        await rtsp_for_tests(),
    ]
    return report(checks)


def python_version(version: tuple[int, ...]) -> Check:
    """3.11 or newer."""
    shown = ".".join(map(str, version))
    return Check("python", version >= (3, 11), shown, "install Python 3.11 or newer and run `make workspace` again")


def programs(rows: Sequence[ServiceSpec] = SERVICES) -> list[Check]:
    """The servers and services as programs; a service that runs only on request may be absent."""
    servers = [program("nats-server", layout.nats_server), store(store_server.find)]
    return servers + [program(row.program, partial(layout.service, row), optional=row.on_request) for row in rows]


def program(name: str, find: Callable[[], Path], *, optional: bool = False) -> Check:
    """Whether `find` finds a program; it says what is missing by a `ClientError`."""
    try:
        return Check(name, True, str(find()), optional=optional)
    except ClientError as error:
        return Check(name, False, error.message, error.next_step, optional)


def store(find: Callable[[], StoreServer]) -> Check:
    """Which Redis or Valkey `vigil up` would run, and whether a critical flaw of it is known."""
    try:
        found = find()
    except ClientError as error:
        return Check("redis-server", False, error.message, error.next_step)
    shown = f"{found.name} ({found.path})"
    return Check("redis-server", not found.flaw, f"{shown}: {found.warning}" if found.flaw else shown, MEND)


async def engine_environment(python: Path, limit_s: float = IMPORT_S) -> Check:
    """The engine environment can import torch and vllm; found out in its own process, as it takes seconds."""
    code = "import torch; print('torch', torch.__version__)"
    argv = (str(python), "-c", code + "; import vllm; print('vllm', vllm.__version__)")
    status, output = await output_of(argv, limit_s)
    lines = output.strip().splitlines() or ["no output"]
    found = ", ".join(line for line in lines if line.startswith(("torch ", "vllm ")))
    return Check(
        "engine", status == 0, found if status == 0 else f"{python}: {lines[-1]}", "make it with `make engine`"
    )


def model(directory: Path) -> Check:
    """A checkpoint in the standard layout, with weights."""
    missing = [name for name in MODEL_FILES if not (directory / name).is_file()]
    weights = list(directory.glob("*.safetensors"))
    if missing or not weights:
        what = ", ".join(missing) or "weights (*.safetensors)"
        return Check("model", False, f"{directory} lacks {what}", "give a --model-dir or train one: `make train-small`")
    size_mb = sum(path.stat().st_size for path in weights) / 1e6
    return Check("model", True, f"{directory} ({size_mb:.0f} MB of weights)")


def disk(data_dir: Path, needed_bytes: int = NEEDED_DISK_BYTES) -> Check:
    """Room for the store and the streams."""
    there = next(path for path in (data_dir.resolve(), *data_dir.resolve().parents) if path.exists())
    free = shutil.disk_usage(there).free
    mend = f"free at least {needed_bytes / 2**30:,.0f} GiB"
    return Check("disk", free >= needed_bytes, f"{free / 2**30:.0f} GiB free at {there}", mend)


def memory(meminfo: Path) -> Check:
    """Room for the engine."""
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        available = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return Check("memory", True, f"not known on {platform.system()}", optional=True)
    shown = f"{available / 2**30:.1f} GiB available"
    return Check("memory", available >= NEEDED_MEMORY_BYTES, shown, "free at least 4 GiB: the engine needs it")


def usual_ports(preferred: Mapping[str, int] = PREFERRED_PORTS) -> Check:
    """Taken ports are no problem: `vigil up` then takes others."""
    taken = [f"{port} ({name})" for name, port in preferred.items() if not ports.is_free(port)]
    detail = f"in use: {', '.join(taken)}; `vigil up` takes others" if taken else "the usual ones are free"
    return Check("ports", not taken, detail, "nothing: others are taken", optional=True)


async def running_vigil(data_dir: Path) -> list[Check]:
    """Whether what `vigil up` wrote down still answers."""
    try:
        known = read(data_dir / FILE)
    except ClientError as error:
        return [usual_ports(), Check("vigil up", False, error.message, error.next_step, optional=True)]
    return await asyncio.gather(*(_answers(name, gate) for name, gate in _gates(known)))


async def rtsp_for_tests(python: str = SYSTEM_PYTHON) -> Check:
    """GStreamer's RTSP server, which only the RTSP tests use: a package of the system's own Python."""
    code = "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import GstRtspServer"
    status, _ = await output_of((python, "-c", code), IMPORT_S)
    mend = f"run `make system`, or: apt-get install {' '.join(RTSP_PACKAGES)}"
    detail = "GStreamer's RTSP server" if status == 0 else "GStreamer's RTSP server is not installed"
    return Check("rtsp tests", status == 0, detail, mend, optional=True)


def speech(folder: Path) -> Check:
    """The embedded engines that hear and speak, which run only where somebody asks for them."""
    is_there = layout.has_speech(folder)
    detail = str(folder) if is_there else f"the embedded speech engines are not in {folder}"
    return Check("speech", is_there, detail, "run `make speech`", optional=True)


@dataclass(frozen=True, slots=True)
class _Paths:
    data_dir: Path
    model_dir: Path
    engine_python: Path
    speech: Path


def _paths(data_dir: Path, model_dir: Path, engine_python: Path | None) -> _Paths:
    """What is given relative to the current directory, else the same below the repository."""
    root = layout.repository() or Path.cwd()
    return _Paths(
        data_dir if (data_dir / FILE).exists() else root / data_dir,
        model_dir if model_dir.exists() else root / model_dir,
        engine_python or root / layout.ENGINE_PYTHON,
        root / layout.SPEECH,
    )


def _gates(known: Endpoints) -> list[tuple[str, gates.Gate]]:
    nats = urlsplit(known.nats_url)
    return [
        *((f"{name} up", gates.http(url)) for name, url in known.ready_urls.items()),
        ("NATS", gates.http(f"{known.monitor_url}/healthz")),
        ("NATS port", gates.listening(nats.hostname or "127.0.0.1", nats.port or 4222)),
        ("Redis", gates.listening("127.0.0.1", known.redis_port)),
        *(("engine up", gates.engine(url, known.model)) for url in known.engine_url.split(",")),
    ]


async def _answers(name: str, gate: gates.Gate) -> Check:
    why = await gate()
    return Check(name, not why, why or "answers", "look at `vigil up` and its logs; if it does not run, start it")
