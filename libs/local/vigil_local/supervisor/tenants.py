"""The NATS users follow the tenants of the key file while `vigil up` runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from vigil.contract.api_keys import tenants_of
from vigil_local.supervisor.supervisor import Supervisor
from vigil_provision import key_file
from vigil_provision.errors import ProvisionError
from vigil_provision.private_file import write_private

LOOK_S = 1.0
NATS = "nats"

# The text of NATS's configuration file for these tenants.
Render = Callable[[tuple[str, ...]], str]


async def follow_tenants(keys: Path, config: Path, render: Render, supervisor: Supervisor) -> None:
    """Add the NATS user of each new tenant and remove that of each removed tenant, until cancelled. NATS reads its
    configuration again without dropping other connections. A key file that cannot be read changes nothing: the gateway
    logs that. On a full disk it is tried again."""
    given = await asyncio.to_thread(config.read_text)
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            wanted = render(tenants_of(await asyncio.to_thread(key_file.read, keys)))
            if wanted != given:
                await asyncio.to_thread(write_private, config, wanted)
        except (ProvisionError, OSError):
            continue
        if wanted != given:
            supervisor.reload(NATS)
            given = wanted
