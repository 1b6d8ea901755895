"""Where a deployment keeps its keys, and what must follow when they change."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil.contract.modules import ModuleId
from vigil.contract.permissions import SYSTEM, module_user
from vigil_client import endpoints
from vigil_client.commands.running import show_error
from vigil_client.errors import ClientError, NotConfigured
from vigil_provision import key_file, module_file, nats_reload, redis_reload, secrets, site_folder, site_tls
from vigil_provision import site as sites
from vigil_provision.key_file import Change
from vigil_provision.keys import Keys
from vigil_provision.modules import Modules

UNKNOWN = "…"


@dataclass(frozen=True, slots=True)
class Place:
    """The data directory of a `vigil up`; or the key file of any deployment; or the folder of a site of containers."""

    data_dir: Path
    file: Path | None
    site: Path | None

    @property
    def path(self) -> Path:
        """The key file."""
        if self.file is not None:
            return self.file.absolute()
        return (self.data_dir / key_file.FILE if self.site is None else self.site / sites.KEYS).absolute()

    @property
    def modules_path(self) -> Path:
        """The file of modules."""
        return (self.data_dir if self.site is None else self.site).absolute() / module_file.FILE

    def stored(self) -> Keys:
        """The keys. Raises `ProvisionError`."""
        return key_file.read(self.path)

    def change(self, made: Callable[[Keys], Change]) -> Change:
        """Change the keys; the NATS of a site gets the users of exactly their tenants. `vigil up` sees to that by
        itself. Raises `ProvisionError`."""
        if self.file is not None or self.site is None:
            return key_file.change(self.path, made)
        rewritten: list[bool] = []
        follow = site_folder.follower(self.site, lambda: rewritten.append(True))
        result = key_file.change(self.path, made, follow)
        if rewritten:
            tell_nats(self.site)
        return result

    def modules(self) -> Modules:
        """The modules. Raises `ProvisionError`."""
        return module_file.read(self.modules_path)

    def change_modules(self, made: Callable[[Modules, Keys], Modules]) -> None:
        """Change the modules; the NATS of a site gets the users of exactly these. `vigil up` sees to that by itself.
        Raises `ProvisionError`."""
        rewritten: list[bool] = []
        with key_file.locked(self.path):
            keys = self.stored()
            module_file.write(self.modules_path, made(self.modules(), keys))
            if self.site is not None:
                site_folder.follower(self.site, lambda: rewritten.append(True))(keys)
        if self.site is not None and rewritten:
            tell_nats(self.site)

    def module_url(self, module: ModuleId) -> str:
        """The address of NATS for a module; see `nats_url`."""
        return self.nats_url(module_user(module), module.salt)

    def nats_url(self, user: str, salt: str = "") -> str:
        """The address of NATS for a user of a tenant, password included; empty where it is not known. Its host is
        `UNKNOWN` while no `vigil up` is there to tell."""
        if self.file is not None:
            return ""
        if self.site is not None:
            site, made = site_folder.read(self.site)
            return sites.nats_url(site.public_nats, made, user, tls=site.tls, salt=salt)
        path = self.data_dir / secrets.FILE
        return sites.nats_url(self._running_nats(), secrets.load(path), user, salt=salt) if path.exists() else ""

    def _running_nats(self) -> str:
        """`host:port` of the NATS of a running `vigil up`; `UNKNOWN` while it does not run, or is not ready."""
        try:
            return endpoints.read(self.data_dir / endpoints.FILE).nats_url.removeprefix("nats://")
        except NotConfigured:
            return UNKNOWN


def tell_nats(folder: Path) -> None:
    """Have the NATS of a site read its configuration again. When it cannot be reached that is said, and no more: it
    reads its configuration when it starts."""
    site, made = site_folder.read(folder)
    _told(nats_reload.reload(sites.nats_url(site.nats, made, SYSTEM, tls=site.tls), site_tls.ca_file(folder, site)))


def tell_redis(folder: Path) -> None:
    """Have the Redis of a site read its users again. When it cannot be reached that is said, and no more."""
    site, made = site_folder.read(folder)
    _told(redis_reload.reload(sites.redis_url(site.redis, made, tls=site.tls), site_tls.ca_file(folder, site)))


def _told(telling: Coroutine[Any, Any, object]) -> None:
    try:
        asyncio.run(telling)
    except ClientError as error:
        show_error(error)
