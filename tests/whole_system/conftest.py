"""One running Vigil for all tests of the whole system: real vLLM, the shipped model, every service a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from system import System, running


@pytest.fixture(scope="session")
def vigil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """`vigil up`, started once."""
    with running(tmp_path_factory.mktemp("vigil") / "run") as system:
        yield system


@pytest.fixture(scope="session")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where rendered episodes go."""
    return tmp_path_factory.mktemp("videos")
