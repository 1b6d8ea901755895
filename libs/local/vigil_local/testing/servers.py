"""A real NATS server with the configuration that `vigil up` gives it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import OPERATOR, SYSTEM, module_user, tenant_user
from vigil.testing.ports import free_port
from vigil_local.supervisor import gates, layout
from vigil_local.supervisor.supervisor import ProcessSpec, Supervisor
from vigil_local.testing.processes import environment
from vigil_provision import nats_config
from vigil_provision.nats_config import NatsServer
from vigil_provision.secrets import TENANT, Secrets

SECRETS = Secrets("nats-secret", "redis-secret", "a-key")


@dataclass(frozen=True, slots=True)
class UpNats:
    """A running server: its addresses, as those who may use it know them; `render` makes its configuration file."""

    port: int
    config: Path
    render: Callable[[tuple[str, ...], tuple[ModuleId, ...]], str]

    @property
    def open_url(self) -> str:
        """For whoever has no name: a downstream system."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def operator_url(self) -> str:
        """For the one who may do everything."""
        return self.url_of(OPERATOR)

    @property
    def system_url(self) -> str:
        """For the one who may have the configuration read again."""
        return self.url_of(SYSTEM)

    def tenant_url(self, tenant: str) -> str:
        """For the downstream systems of a tenant."""
        return self.url_of(tenant_user(tenant))

    def module_url(self, tenant: str, module: str) -> str:
        """For a module of a tenant."""
        return self.url_of(module_user(ModuleId(tenant, module)))

    def url_of(self, user: str) -> str:
        """For the NATS user of this name; a service's is called like it."""
        return f"nats://{user}:{SECRETS.nats_password_of(user)}@127.0.0.1:{self.port}"


@asynccontextmanager
async def nats_running(directory: Path, tenants: tuple[str, ...] = ()) -> AsyncIterator[UpNats]:
    """A NATS server that keeps its files in `directory`, supervised, with users for these tenants beside `demo`."""
    port, monitor = free_port(), free_port()
    config = directory / "nats.conf"
    own = NatsServer("127.0.0.1", port, f"127.0.0.1:{monitor}", str(directory / "jetstream"), tenant_user(TENANT))

    def render(tenants: tuple[str, ...], modules: tuple[ModuleId, ...]) -> str:
        return nats_config.render(own, {TENANT, *tenants}, SECRETS.nats_passwords(modules), modules)

    config.write_text(render(tenants, ()))
    spec = ProcessSpec(
        "nats",
        (str(layout.nats_server()), "--config", str(config)),
        environment(),
        gates.http(f"http://127.0.0.1:{monitor}/healthz"),
    )
    async with Supervisor([spec], directory / "logs", lambda _: None) as supervisor:
        await supervisor.ready()
        yield UpNats(port, config, render)
