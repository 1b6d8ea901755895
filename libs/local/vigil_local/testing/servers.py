"""Free ports, and a real NATS server with the configuration that `vigil up` gives it."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vigil_local.supervisor import gates, layout, nats_config
from vigil_local.supervisor.supervisor import ProcessSpec, Supervisor
from vigil_local.testing.processes import environment


@dataclass(frozen=True, slots=True)
class UpNats:
    """A running server's addresses: as the services know it, and as strangers do."""

    service_url: str
    open_url: str


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    found = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return found


@asynccontextmanager
async def nats_running(directory: Path) -> AsyncIterator[UpNats]:
    """A NATS server that keeps its files in `directory`, supervised."""
    port, monitor = free_ports(2)
    config = directory / "nats.conf"
    config.write_text(nats_config.render(port, monitor, directory / "jetstream", "secret"))
    spec = ProcessSpec(
        "nats",
        (str(layout.nats_server()), "--config", str(config)),
        environment(),
        gates.http(f"http://127.0.0.1:{monitor}/healthz"),
    )
    async with Supervisor([spec], directory / "logs", lambda _: None) as supervisor:
        await supervisor.ready()
        yield UpNats(f"nats://service:secret@127.0.0.1:{port}", f"nats://127.0.0.1:{port}")
