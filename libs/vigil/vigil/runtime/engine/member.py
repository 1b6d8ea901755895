"""One engine of a pool: its client, what is known of it, and how often it is looked at."""

from dataclasses import dataclass

from vigil.runtime.engine import metrics as metrics
from vigil.runtime.engine.client import Engine
from vigil.runtime.engine.health import EngineHealth
from vigil.runtime.process.logs import get_log

log = get_log()


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an engine is checked while it is up or down (each jittered by a fifth), how long it must have been up
    before sessions return to it, and how far apart they do. Seconds."""

    check_s: float = 5.0
    recheck_s: float = 1.0
    steady_s: float = 2.0
    return_gap_s: float = 0.1
    trial_s: float = 5.0


class Member:
    """One engine of the pool and what is known of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.health = EngineHealth()
        self.return_at_s = 0.0

    @property
    def url(self) -> str:
        """Its root address: what sessions hash on."""
        return self.engine.config.root

    def now(self, health: EngineHealth) -> None:
        """Take a new view of the engine, tell when it came or went."""
        before, self.health = self.health, health
        metrics.UP.labels(self.engine.config.address).set(health.up)
        if health.up != before.up:
            if health.up:
                log.info("engine came up", engine=self.engine.config.address)
            else:
                log.warning("engine went down", engine=self.engine.config.address, fault=health.fault)
