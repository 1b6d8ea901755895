"""Fixtures that every package's tests may use, and how tests are spread over processes that run side by side."""

from typing import Any

import pytest

pytest_plugins = ["vigil.testing.fixtures"]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Keep the tests of one file in one process: they share what its fixtures start."""
    from xdist.scheduler import LoadFileScheduling  # here, because tests also run without pytest-xdist

    return LoadFileScheduling(config, log)
