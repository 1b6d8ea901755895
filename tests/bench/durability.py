"""What it costs that NATS has each message on its disk before it acknowledges it.

`sync_interval: always` is measured against the server's own default, which flushes every two minutes; Redis has every
write on disk either way. The runs take turns, so that a machine that drifts does so for both.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from bench import overhead
from bench.progress import say
from bench.settings import BenchSettings
from bench.statistics import Spread, spread
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.testing.emitted import decided
from vigil.testing.servers import NatsServer

FLUSHES: Mapping[str, str] = MappingProxyType({"default": "", "always": "jetstream { sync_interval: always }\n"})
ROUNDS = 2
_STORED = 1_000
_STORED_S = 20.0  # a busy machine gets fewer through
_FEWEST_STORED = 20


@dataclass(frozen=True, slots=True)
class Run:
    """Milliseconds. `tick` is from the camera's picture on the bus to the decision there, `stored` from publishing one
    message to its acknowledgement, one after the other and with nothing beside it."""

    flush: str
    sessions: int
    skipped: int
    overhead: Spread
    tick: Spread
    stored: Spread


@dataclass(frozen=True, slots=True)
class Durability:
    """Every run, and what `always` adds to the default in milliseconds: means over the rounds."""

    runs: tuple[Run, ...]
    tick_p50_added_ms: float
    tick_p99_added_ms: float
    stored_p50_added_ms: float


async def measure(settings: BenchSettings) -> Durability:
    """Run both settings `ROUNDS` times."""
    runs = [await _run(settings, flush) for _ in range(ROUNDS) for flush in FLUSHES]
    return Durability(
        tuple(runs),
        _added([(run.flush, run.tick.p50) for run in runs]),
        _added([(run.flush, run.tick.p99) for run in runs]),
        _added([(run.flush, run.stored.p50) for run in runs]),
    )


async def _run(settings: BenchSettings, flush: str) -> Run:
    stored = await _stored(settings, flush)
    found = await overhead.measure(settings, f"durability-{flush}", nats_config=FLUSHES[flush])
    say(f"{flush}: tick p50 {found.tick.p50:.2f} ms, p99 {found.tick.p99:.2f} ms; a stored message {stored.p50:.2f} ms")
    return Run(flush, found.sessions, found.skipped, found.overhead, found.tick, stored)


async def _stored(settings: BenchSettings, flush: str) -> Spread:
    """How long the acknowledgement of one message takes."""
    server = NatsServer(settings.out / "run" / f"stored-{flush}", FLUSHES[flush])
    await server.start()
    try:
        async with Bus.connect(BusConfig(server.url, name="bench")) as bus:
            await bus.connected()
            session = f"s-{time.time_ns()}"  # the folder may have the messages of a former run
            took_ms: list[float] = []
            until_s = time.monotonic() + _STORED_S
            while len(took_ms) < _STORED and (len(took_ms) < _FEWEST_STORED or time.monotonic() < until_s):
                took_ms.append(await _acknowledged_ms(bus, session, len(took_ms)))
            return spread(took_ms)
    finally:
        await server.kill()


async def _acknowledged_ms(bus: Bus, session: str, number: int) -> float:
    began_s = time.perf_counter()
    await bus.publish_stored(decided(session, number))
    return (time.perf_counter() - began_s) * 1_000


def _added(values: list[tuple[str, float]]) -> float:
    default, always = ([value for flush, value in values if flush == name] for name in FLUSHES)
    return round(sum(always) / len(always) - sum(default) / len(default), 3)
