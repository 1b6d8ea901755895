"""One deployment for all tests of this folder, and a table of what was measured."""

from collections.abc import Iterator
from pathlib import Path

import compose_stage
import pytest
from compose_stage import Deployment, Table

TABLE = Path(__file__).resolve().parents[2] / "build" / "test-compose" / "table.md"


@pytest.fixture(scope="session")
def table(pytestconfig: pytest.Config) -> Iterator[Table]:
    """The table, written when all tests are done."""
    made = Table()
    yield made
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text(made.text)
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"\n{made.text}written to {TABLE}")


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    """A project of its own, taken down with its volumes at the end. Skipped, with the reason, where it cannot run."""
    if why := compose_stage.why_not():
        pytest.skip(f"no container is tested: {why}")
    made = Deployment.on_free_ports()
    made.compose("down", "--volumes", "--remove-orphans")  # what an interrupted run has left
    yield made
    made.compose("--profile", "*", "down", "--volumes", "--remove-orphans")
