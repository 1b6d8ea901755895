"""Memory and processor time of every process over a run, sampled once a second."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bench.processes import Usage

_EVERY_S = 1.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MiB: when sampling began, at its end, at most."""

    first: float
    last: float
    max: float


class Sampler:
    """Samples until it is cancelled. `rss` is bytes by process, one a second."""

    def __init__(self, usages: Callable[[], Mapping[str, Usage]]) -> None:
        self._usages = usages
        self.rss: dict[str, list[int]] = defaultdict(list)

    async def run(self) -> None:
        """Sample for ever."""
        while True:
            with contextlib.suppress(ProcessLookupError, RuntimeError):  # a process that is just being killed
                for name, used in self._usages().items():
                    self.rss[name].append(used.rss_bytes)
            await asyncio.sleep(_EVERY_S)

    def counts(self) -> dict[str, int]:
        """How many samples of each process there are."""
        return {name: len(values) for name, values in self.rss.items()}

    def memory(self) -> dict[str, dict[str, Any]]:
        """MiB by process, so far."""
        found = {
            name: Memory(*(round(value / _MIB, 1) for value in (values[0], values[-1], max(values))))
            for name, values in self.rss.items()
        }
        return {name: asdict(one) for name, one in found.items()}


def cpu_ms_per_tick(before: Mapping[str, Usage], after: Mapping[str, Usage], ticks: int) -> dict[str, float]:
    """Milliseconds of processor time that each process spent on one tick."""
    return {
        name: round((after[name].cpu_s - used.cpu_s) * 1000 / max(1, ticks), 3)
        for name, used in before.items()
        if name in after
    }
