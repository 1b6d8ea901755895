"""Where a running Vigil is: what `vigil up` writes down and the other commands find by themselves."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from vigil_client.errors import NotConfigured

FILE = "endpoints.json"
DATA_DIR = Path("build/run")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses, the API key of the demo tenant, and the process ids by name.

    `engine_url` is one address, or several of one model separated by commas.
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
        values = json.loads(path.read_text())
        return Endpoints(**values)
    except FileNotFoundError:
        raise NotConfigured(
            f"no running Vigil is known here ({path} is not there)",
            "start one with `vigil up`, or name one with --gateway URL --api-key KEY",
        ) from None
    except (ValueError, TypeError):
        raise NotConfigured(f"{path} is not what vigil up writes", "delete it and run `vigil up` again") from None


def find(root: Path | None, directory: Path) -> Endpoints:
    """The endpoints of the Vigil that runs from `directory`, else from the same place below the repository `root`."""
    candidates = [directory / FILE] + ([root / DATA_DIR / FILE] if root else [])
    present = [path for path in candidates if path.exists()]
    return read(present[0] if present else candidates[0])
