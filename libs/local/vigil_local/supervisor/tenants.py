"""The NATS users follow the tenants of the key file, and the file of modules, while `vigil up` runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from vigil.contract.api_keys import tenants_of
from vigil.contract.modules import ModuleId
from vigil_provision import key_file, module_file, nats_reload
from vigil_provision.errors import ProvisionError
from vigil_provision.private_file import write_private

LOOK_S = 1.0

# The text of NATS's configuration file for these tenants and modules.
Render = Callable[[tuple[str, ...], tuple[ModuleId, ...]], str]


async def follow_tenants(folder: Path, config: Path, render: Render, system_url: str) -> None:
    """Add the NATS user of each new tenant and module and remove that of each removed one, until cancelled. NATS reads
    its configuration again without dropping other connections; `system_url` names the user who may have it do so. A
    file in `folder`, of keys or of modules, that cannot be read changes nothing: the gateway logs that of the keys. On
    a full disk, and while NATS is away, it is tried again."""
    given = await asyncio.to_thread(config.read_text)
    while not _is_cancelled():
        await asyncio.sleep(LOOK_S)
        try:
            wanted = await asyncio.to_thread(_rendered, folder, render)
            if wanted != given:
                await asyncio.to_thread(write_private, config, wanted)
                await nats_reload.reload(system_url)
                given = wanted
        except (ProvisionError, OSError):
            continue


def _is_cancelled() -> bool:
    """Whether this task is to end. Before Python 3.12 a cancellation that comes just as NATS answers is lost."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _rendered(folder: Path, render: Render) -> str:
    return render(tenants_of(key_file.read(folder / key_file.FILE)), module_file.read(folder / module_file.FILE))
