"""Fixtures that every package's tests may use: real NATS and Redis servers; and Hypothesis for a machine that may be
busy: no deadline per example, no complaint about slow draws, a fixed number of examples."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["vigil.testing.fixtures"]

settings.register_profile("busy", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
