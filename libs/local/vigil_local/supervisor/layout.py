"""What is on this machine: the repository, the binaries, the two environments. The one reader of the environment."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vigil.contract.service_spec import ServiceSpec
from vigil_local.errors import Missing
from vigil_local.supervisor import store_server
from vigil_local.supervisor.store_server import StoreServer

SERVE = Path("deploy/engine/serve.sh")
ENGINE_PYTHON = Path(".venv-engine/bin/python")
CONSOLE = Path("console/dist")
SPEECH = Path(".venv-speech")


@dataclass(frozen=True, slots=True)
class Binaries:
    """Programs that `vigil up` starts."""

    nats_server: Path
    store: StoreServer
    services: Mapping[str, Path]


def repository() -> Path | None:
    """The checkout that the current directory or this package belongs to; None outside of one."""
    for start in (Path.cwd(), Path(__file__).resolve().parent):
        for directory in (start, *start.parents):
            if (directory / "proto" / "vigil").is_dir() and (directory / "pyproject.toml").is_file():
                return directory
    return None


def program(name: str) -> Path | None:
    """A program beside this interpreter, else on the PATH."""
    beside = Path(sys.executable).with_name(name)
    if beside.exists():
        return beside
    found = shutil.which(name)
    return Path(found) if found else None


def nats_server() -> Path:
    """The NATS server. Raises `Missing`."""
    found = program("nats-server")
    if found is None:
        raise Missing("nats-server is not installed", "install it with: uv pip install vigil-local")
    return found


def service(row: ServiceSpec) -> Path:
    """The program of a service. Raises `Missing`."""
    found = program(row.program)
    if found is None:
        raise Missing(f"the service {row.program} is not installed", "run `make workspace`, or: uv sync")
    return found


def binaries(rows: Sequence[ServiceSpec]) -> Binaries:
    """Every program that `vigil up` needs to run these services. Raises `Missing` that names the first that is not
    there."""
    return Binaries(nats_server(), store_server.find(), {row.name: service(row) for row in rows})


def console() -> Path | None:
    """The folder of the built web console; None where it was not built."""
    root = repository()
    folder = root / CONSOLE if root is not None else None
    return folder if folder is not None and (folder / "index.html").is_file() else None


def has_speech(folder: Path) -> bool:
    """Whether `make speech` has installed the embedded speech engines there, all of them."""
    return (folder / ".vigil-installed").is_file()


def inherited() -> dict[str, str]:
    """The environment that processes start from: ours without any VIGIL_ variable, which are set for each process."""
    inner = {name: value for name, value in os.environ.items() if not name.startswith("VIGIL_")}  # noqa: TID251
    return inner | {"PYTHONUNBUFFERED": "1"}
