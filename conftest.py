"""Fixtures that every package's tests may use: real NATS and Redis servers; and how Hypothesis draws its examples.

The machine may be busy: there is no deadline for an example, and no complaint about slow draws. Every run draws the
same examples, so that a test which passed does not fail tomorrow; `--hypothesis-profile search` looks for new ones.

What was imported stays until the end, so the garbage collector does not look through it again and again: that is a
tenth of the processor time of a run.
"""

import gc

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["vigil.testing.fixtures"]

settings.register_profile(
    "steady", deadline=None, max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", settings.get_profile("steady"), derandomize=False, max_examples=1_000)
settings.load_profile("steady")

gc.disable()  # until all test files are imported


def pytest_collection_finish(session: pytest.Session) -> None:
    """All is imported: what there is now is never looked through again."""
    gc.collect()
    gc.freeze()
    gc.enable()
