"""What this worker can hold, measured: ticks report whether they were late, and each heartbeat offers the result."""

import time
from collections.abc import Callable

from vigil.runtime.engine.pool import EnginePool
from vigil.runtime.placement.leases import Offer
from vigil.runtime.process.logs import get_log
from vigil_interaction import metrics
from vigil_interaction.saturation import MAX_LATE_SHARE, Window, measuring

log = get_log()

WINDOW_S = 10.0


class Load:
    """Counts due and late turns of all sessions of a worker. At the end of each window they change the measured
    capacity."""

    def __init__(
        self,
        limit: int,
        *,
        max_late_share: float = MAX_LATE_SHARE,
        window_s: float = WINDOW_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.measured = measuring(limit)
        self._max_late_share = max_late_share
        self._window_s = window_s
        self._monotonic = monotonic
        self.window_began_s = monotonic()
        self._due = self.late_turns = 0
        metrics.CAPACITY.labels("configured").set(limit)

    def turn(self, *, late: bool) -> None:
        """A turn was decided, or given up at its deadline."""
        self._due += 1
        self.late_turns += late

    def superseded(self, count: int) -> None:
        """`count` turns never came, because newer frames replaced theirs."""
        self._due += count
        self.late_turns += count

    def capacity(self, held: int) -> int:
        """Sessions that the worker can hold, as far as is known now; `held` is how many it holds."""
        now_s = self._monotonic()
        if now_s - self.window_began_s >= self._window_s:
            self._close(Window(held, self._due, self.late_turns))
            self.window_began_s, self._due, self.late_turns = now_s, 0, 0
        return self.measured.capacity

    def _close(self, window: Window) -> None:
        before, self.measured = self.measured, self.measured.after(window, self._max_late_share)
        metrics.CAPACITY.labels("measured").set(self.measured.capacity)
        metrics.LATE_SHARE.set(window.late_share)
        if self.measured.capacity != before.capacity:
            log.warning(
                "measured capacity changed",
                before=before.capacity,
                capacity=self.measured.capacity,
                held=window.held,
                late_share=round(window.late_share, 3),
            )


def offers(load: Load, engines: EnginePool, model: str, sessions_per_engine: int) -> Callable[[int], Offer]:
    """What the worker says in each heartbeat. `sessions_per_engine` fit into one engine's picture cache; all workers
    share the engines that are up."""

    def offer(held: int) -> Offer:
        ceiling = sessions_per_engine * max(1, len(engines.serving(model)))
        metrics.CAPACITY.labels("pictures").set(ceiling)
        return Offer(load.capacity(held), ceiling, engines.models, engines.contexts)

    return offer
