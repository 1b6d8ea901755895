"""Where a running Vigil is: what `vigil up` writes down and the other commands find by themselves."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vigil_client.errors import NotConfigured

FILE = "endpoints.json"
DATA_DIR = Path("build/run")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses, the API key of the demo tenant, and the process ids by name.

    `engine_url` is one address, or several of one model separated by commas. `console_url` is the
    web console's address; empty: it was not built. `gateway_grpc` is the `host:port` of the
    gateway's gRPC service. `ready_urls` say of each service, by its name, whether it is ready.
    `ca_file` is the PEM file of the authorities behind `https://` and `tls://` addresses, from the
    folder of the endpoints on; empty: the system's.
    """

    gateway_url: str
    nats_url: str
    api_key: str
    tenant: str = "demo"
    engine_url: str = ""
    redis_port: int = 0
    monitor_url: str = ""
    model: str = ""
    profile: str = ""
    supervisor_pid: int = 0
    gateway_grpc: str = ""
    console_url: str = ""
    ca_file: str = ""
    ready_urls: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)


def write(path: Path, endpoints: Endpoints) -> None:
    """Write atomically, readable by the owner only: the key is in it."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(endpoints), file, indent=2)
    temporary.replace(path)


def read(path: Path) -> Endpoints:
    """Read what `vigil up` wrote. Raises `NotConfigured` when it is not there or is something else."""
    try:
        found = Endpoints(**json.loads(path.read_text()))
        return replace(found, ca_file=str(path.parent / found.ca_file)) if found.ca_file else found
    except FileNotFoundError:
        raise NotConfigured(
            f"no running Vigil is known here ({path} is not there)",
            "name one with --gateway URL --api-key KEY, or start one here with `vigil up` (package vigil-local)",
        ) from None
    except (ValueError, TypeError):
        raise NotConfigured(f"{path} is not what vigil up writes", "delete it and run `vigil up` again") from None


def find(directory: Path) -> Endpoints:
    """The endpoints of the Vigil that runs from `directory`.

    A relative `directory` is looked for in the current directory, then in each directory above it, then in those above
    this package: so the Vigil of a checkout is found from anywhere in it. Raises `NotConfigured`.
    """
    candidates = [parent / directory / FILE for parent in _search_path()]
    return read(next((path for path in candidates if path.exists()), directory / FILE))


def _search_path() -> Iterator[Path]:
    """Where a relative data directory may be, nearest first."""
    for start in (Path.cwd(), Path(__file__).resolve().parent):
        yield from (start, *start.parents)
