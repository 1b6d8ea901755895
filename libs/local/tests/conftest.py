"""Fixtures: free ports and the NATS server of `vigil up`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vigil_local.testing.servers import UpNats, free_ports, nats_running


@pytest.fixture
def two_ports() -> list[int]:
    """Two free ports."""
    return free_ports(2)


@pytest.fixture
async def up_nats(tmp_path: Path) -> AsyncIterator[UpNats]:
    """A NATS server with the configuration of `vigil up`."""
    async with nats_running(tmp_path) as server:
        yield server
