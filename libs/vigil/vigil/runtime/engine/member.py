"""An engine of a pool: its client, its health, and how often it is checked."""

from dataclasses import dataclass

from vigil.runtime.engine import metrics as metrics
from vigil.runtime.engine.client import Engine
from vigil.runtime.engine.health import EngineHealth
from vigil.runtime.process.logs import get_log

log = get_log()


@dataclass(frozen=True, slots=True)
class Pace:
    """The pool's times, in seconds.

    An engine is checked every `check_s` while it is up and every `recheck_s` while it is down, each jittered by a
    fifth. Sessions return to an engine that has been up for `steady_s`, one every `return_gap_s`. The trial of an
    engine that hung may take `trial_s`.
    """

    check_s: float = 5.0
    recheck_s: float = 1.0
    steady_s: float = 2.0
    return_gap_s: float = 0.1
    trial_s: float = 5.0


class Member:
    """An engine of the pool and its health."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.health = EngineHealth()
        self.return_at_s = 0.0

    @property
    def url(self) -> str:
        """Its root address, by which sessions rank the engines."""
        return self.engine.config.root

    def now(self, health: EngineHealth) -> None:
        """Take over new health; log when the engine came up or went down."""
        before, self.health = self.health, health
        metrics.UP.labels(self.engine.config.address).set(health.up)
        if health.up != before.up:
            if health.up:
                log.info("engine came up", engine=self.engine.config.address)
            else:
                log.warning("engine went down", engine=self.engine.config.address, fault=health.fault)
