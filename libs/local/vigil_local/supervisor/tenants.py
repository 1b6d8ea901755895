"""The NATS users follow the tenants of the key file, and the file of modules, while `vigil up` runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from vigil.contract.api_keys import tenants_of
from vigil.contract.modules import ModuleId
from vigil_local.supervisor.supervisor import Supervisor
from vigil_provision import key_file, module_file
from vigil_provision.errors import ProvisionError
from vigil_provision.private_file import write_private

LOOK_S = 1.0
NATS = "nats"

# The text of NATS's configuration file for these tenants and modules.
Render = Callable[[tuple[str, ...], tuple[ModuleId, ...]], str]


async def follow_tenants(folder: Path, config: Path, render: Render, supervisor: Supervisor) -> None:
    """Add the NATS user of each new tenant and module and remove that of each removed one, until cancelled. NATS reads
    its configuration again without dropping other connections. A file in `folder`, of keys or of modules, that cannot
    be read changes nothing: the gateway logs that of the keys. On a full disk it is tried again."""
    given = await asyncio.to_thread(config.read_text)
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            wanted = await asyncio.to_thread(_rendered, folder, render)
            if wanted != given:
                await asyncio.to_thread(write_private, config, wanted)
        except (ProvisionError, OSError):
            continue
        if wanted != given:
            supervisor.reload(NATS)
            given = wanted


def _rendered(folder: Path, render: Render) -> str:
    return render(tenants_of(key_file.read(folder / key_file.FILE)), module_file.read(folder / module_file.FILE))
