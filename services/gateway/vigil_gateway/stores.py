"""How full NATS and Redis are, measured by the gateway: it has both at hand, and no other program is needed for it.

Every replica measures the same servers, so of their figures one is taken, never the sum.
"""

import asyncio
from functools import partial
from typing import NoReturn

from redis.asyncio import Redis

from vigil.contract.streams import STREAMS
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import PortError
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.redis_client import memory
from vigil_gateway import metrics

log = get_log()

MEASURE_S = 10.0


async def measure_stores(bus: Bus, redis: Redis) -> NoReturn:
    """Measure every `MEASURE_S`. A server that is away keeps its last figures: readiness tells that it is away."""
    while True:
        for measure in (partial(measure_streams, bus), partial(measure_redis, redis)):
            try:
                await measure()
            except PortError as error:
                log.debug("store not measured", reason=str(error))
        await asyncio.sleep(MEASURE_S)


async def measure_streams(bus: Bus) -> None:
    """Measure every stream. Raises `BusUnavailable`."""
    for stream in STREAMS:
        size = await bus.size(stream)
        metrics.STREAM_MESSAGES.labels(stream.name).set(size.messages)
        metrics.STREAM_BYTES.labels(stream.name).set(size.stored_bytes)
        metrics.STREAM_LIMIT_BYTES.labels(stream.name).set(size.limit_bytes)


async def measure_redis(redis: Redis) -> None:
    """Measure Redis. Raises `StoreUnavailable`."""
    found = await memory(redis)
    metrics.REDIS_MEMORY_BYTES.set(found.used_bytes)
    metrics.REDIS_MEMORY_LIMIT_BYTES.set(found.limit_bytes)
