"""Fixtures that every package's tests may use, and how tests are spread over processes that run side by side."""

from typing import Any

import pytest

pytest_plugins = ["vigil.testing.fixtures"]

WHOLE_SYSTEM = "tests/whole_system/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of the whole system first: they take longest, and what is left fills the other processes."""
    items.sort(key=lambda item: not item.nodeid.startswith(WHOLE_SYSTEM))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Keep the tests of one file in one process, and all that share the one running system together."""
    from xdist.scheduler import LoadScopeScheduling  # here, because tests also run without pytest-xdist

    class FileScheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return WHOLE_SYSTEM if nodeid.startswith(WHOLE_SYSTEM) else nodeid.partition("::")[0]

    return FileScheduling(config, log)
