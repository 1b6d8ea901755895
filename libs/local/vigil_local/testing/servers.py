"""A real NATS server with the configuration that `vigil up` gives it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vigil.testing.servers import free_port
from vigil_local.supervisor import gates, layout, nats_config
from vigil_local.supervisor.secrets import Secrets
from vigil_local.supervisor.supervisor import ProcessSpec, Supervisor
from vigil_local.testing.processes import environment

SECRETS = Secrets("nats-secret", "redis-secret", "a-key")


@dataclass(frozen=True, slots=True)
class UpNats:
    """A running server: its addresses, as those who may use it know them."""

    port: int

    @property
    def open_url(self) -> str:
        """For whoever has no name: a downstream system."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def operator_url(self) -> str:
        """For the one who may do everything."""
        return self._named(nats_config.OPERATOR_USER, SECRETS.nats_password)

    def url_of(self, service: str) -> str:
        """For a service."""
        return self._named(service, SECRETS.nats_password_of(service))

    def _named(self, user: str, password: str) -> str:
        return f"nats://{user}:{password}@127.0.0.1:{self.port}"


@asynccontextmanager
async def nats_running(directory: Path) -> AsyncIterator[UpNats]:
    """A NATS server that keeps its files in `directory`, supervised."""
    port, monitor = free_port(), free_port()
    config = directory / "nats.conf"
    config.write_text(nats_config.render(port, monitor, directory / "jetstream", SECRETS))
    spec = ProcessSpec(
        "nats",
        (str(layout.nats_server()), "--config", str(config)),
        environment(),
        gates.http(f"http://127.0.0.1:{monitor}/healthz"),
    )
    async with Supervisor([spec], directory / "logs", lambda _: None) as supervisor:
        await supervisor.ready()
        yield UpNats(port)
