"""Fixtures that every package's tests may use: real NATS and Redis servers."""

pytest_plugins = ["vigil.testing.fixtures"]
