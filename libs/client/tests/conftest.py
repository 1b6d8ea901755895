"""Fixtures: free ports and a real NATS server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vigil_client.testing.servers import NatsServer, free_ports, nats_running


@pytest.fixture
def two_ports() -> list[int]:
    """Two free ports."""
    return free_ports(2)


@pytest.fixture
async def nats_server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A NATS server with the configuration of `vigil up`."""
    async with nats_running(tmp_path) as server:
        yield server
