"""Fixtures of the codec's tests."""

from vigil.testing.fixtures import bus, nats_server, redis, redis_server

__all__ = ["bus", "nats_server", "redis", "redis_server"]
