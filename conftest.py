"""Fixtures that every package's tests may use, and how tests are spread over processes that run side by side."""

import pytest

pytest_plugins = ["vigil.testing.fixtures"]

SYSTEM = "the running system"


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one file in one process, and all tests of the one running system together.

    The system comes first: it takes longest, and what is left fills the other processes meanwhile.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(SYSTEM if _uses_system(item) else str(item.path)))
    items.sort(key=lambda item: not _uses_system(item))


def _uses_system(item: pytest.Item) -> bool:
    return "vigil" in getattr(item, "fixturenames", ())
