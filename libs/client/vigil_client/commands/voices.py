"""`vigil voices`: by which names a session may ask for a voice."""

from typing import Annotated

import typer

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.printable import printable
from vigil_client.commands.running import console, run
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR


def voices(
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")] = False,
) -> None:
    """List the voices in which sessions may speak: names for `vigil watch --voice --voice-name NAME`.

    \b
    Examples:
      vigil voices
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            found = await client.voices()
        if as_json:
            console.print_json(data={"voices": list(found)})
        elif found:
            console.print("\n".join(printable(name) for name in found), markup=False, highlight=False)
        else:
            console.print("No voice: no worker speaks, or its engine does not tell its voices.", style="dim")
        return True

    run(work())
