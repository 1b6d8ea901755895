"""Fixtures: free ports and the NATS server of `vigil up`."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from vigil.testing.ports import free_port
from vigil_local.testing.servers import UpNats, nats_running


@pytest.fixture
def two_ports() -> list[int]:
    """Two different free ports."""
    first = second = free_port()
    while second == first:
        second = free_port()
    return [first, second]


@pytest.fixture
async def up_nats(tmp_path: Path) -> AsyncIterator[UpNats]:
    """A NATS server with the configuration of `vigil up`."""
    async with nats_running(tmp_path) as server:
        yield server
