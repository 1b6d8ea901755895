"""NATS and Redis servers with the configuration of a deployment, on free ports of the loopback."""

import re
from pathlib import Path

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import OPERATOR, SYSTEM, module_user, tenant_user
from vigil.testing.ports import free_port
from vigil.testing.servers import NatsServer, RedisServer, executable
from vigil_provision.secrets import Secrets

_STORE = re.compile(r'(store_dir"?: *)"[^"]*"')
_FOLDER = re.compile(r"^dir .*$", re.MULTILINE)
SECRETS = Secrets("nats-secret", "redis-secret", "a-key")


class ConfiguredNats(NatsServer):
    """A server with this configuration. Address and ports are of this test: the command line overrules it."""

    def __init__(self, folder: Path, config: str, secrets: Secrets = SECRETS) -> None:
        super().__init__(folder)
        self.config_file = folder / "nats.conf"
        self._monitor_port = free_port()
        self._secrets = secrets
        folder.mkdir(parents=True, exist_ok=True)
        self.configure(config)

    def configure(self, config: str) -> None:
        """Change what the server reads when it starts, and again when it is told to. Its store is of this test."""
        store = f'"{self.folder / "jetstream"}"'
        self.config_file.write_text(_STORE.sub(lambda found: found[1] + store, config), "utf-8")

    def command(self) -> list[str]:
        place = ["-a", "127.0.0.1", "-p", str(self.port), "-m", str(self._monitor_port)]
        return [executable("nats-server"), "-c", str(self.config_file), *place]

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
        return f"nats://{user}:{self._secrets.nats_password_of(user)}@127.0.0.1:{self.port}"


class ConfiguredRedis(RedisServer):
    """A server with this configuration and these users. Address, port and folder are of this test."""

    def __init__(self, folder: Path, config: str, users: str, program: str = "", secrets: Secrets = SECRETS) -> None:
        super().__init__(folder, program)
        self.users_file = folder / "users.acl"
        self.options: tuple[str, ...] = ()  # more of the command line, from the next start on
        self._config_file = folder / "redis.conf"
        self._secrets = secrets
        folder.mkdir(parents=True, exist_ok=True)
        self._config_file.write_text(_FOLDER.sub(f'dir "{folder}"', config), "utf-8")
        self.users_file.write_text(users, "utf-8")

    def command(self) -> list[str]:
        place = ["--bind", "127.0.0.1", "--port", str(self.port), "--aclfile", str(self.users_file)]
        return [self.program, str(self._config_file), *place, *self.options]

    def url_of(self, user: str) -> str:
        """For the Redis user of this name; a service's is called like it."""
        return f"redis://{user}:{self._secrets.redis_password_of(user)}@127.0.0.1:{self.port}/0"

    async def answers(self) -> bool:
        return (await self._exchange(b"PING\r\n")).startswith(b"-NOAUTH")
