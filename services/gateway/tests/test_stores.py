"""The gateway measures how full NATS and Redis are."""

from prometheus_client import REGISTRY
from redis.asyncio import Redis

from vigil.contract.streams import STREAMS
from vigil.runtime.bus.client import Bus
from vigil_gateway.stores import measure_redis, measure_streams


async def test_every_stream_has_a_size_and_a_limit(bus: Bus) -> None:
    await measure_streams(bus)
    for stream in STREAMS:
        labels = {"stream": stream.name}
        assert REGISTRY.get_sample_value("vigil_stream_limit_bytes", labels) == stream.max_bytes
        assert REGISTRY.get_sample_value("vigil_stream_messages", labels) is not None


async def test_the_memory_of_redis_and_its_limit_are_measured(redis: Redis) -> None:
    await redis.config_set("maxmemory", "64mb")
    await measure_redis(redis)
    assert REGISTRY.get_sample_value("vigil_redis_memory_limit_bytes") == 64 * 1024 * 1024
    assert 0 < (REGISTRY.get_sample_value("vigil_redis_memory_bytes") or 0) < 64 * 1024 * 1024
