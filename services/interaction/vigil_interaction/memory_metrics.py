"""What the memory of a worker's sessions tells the metrics."""

from collections import Counter

from vigil.core.decide import Settled
from vigil.core.memory import Memory
from vigil_interaction import metrics


class MemoryMetrics:
    """One session's memory in the metrics. `close` takes its share of the gauges away: whoever takes the session over
    counts it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = Memory()
        self._show(memory)

    def committed(self, settled: Settled) -> None:
        """Count what a committed turn asked for, what entered memory with it and what came too late."""
        for request in settled.memory_requests:
            metrics.MEMORY_REQUESTS.labels(request.kind).inc()
        metrics.MEMORY_STALE.inc(len(settled.stale))
        known = {block.id for block in self._memory.blocks}
        for block in settled.state.memory.blocks:
            if block.id not in known:
                metrics.MEMORY_ENTERED.labels(str(block.level)).inc()
        self._show(settled.state.memory)

    def close(self) -> None:
        """Show nothing of this session any more."""
        self._show(Memory())

    def _show(self, memory: Memory) -> None:
        if memory is self._memory:  # as in nearly every turn
            return
        after, before = _levels(memory), _levels(self._memory)
        for level in after | before:
            metrics.MEMORY_BLOCKS.labels(str(level)).inc(after[level] - before[level])
        metrics.MEMORY_UNWRITTEN.inc(len(memory.unwritten) - len(self._memory.unwritten))
        self._memory = memory


def _levels(memory: Memory) -> Counter[int]:
    return Counter(block.level for block in memory.blocks)
