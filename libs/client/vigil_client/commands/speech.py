"""`vigil transcripts` and `vigil say`: what was said to a session, and what it is to say."""

from typing import Annotated

import msgspec
import typer

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.printable import printable
from vigil_client.commands.running import console, run
from vigil_client.commands.sessions import Json, SessionId
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.speech import PastTranscript, TranscriptPage

MOST_A_PAGE = 500


def transcripts(
    session: SessionId,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest ones.")] = 20,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Json = False,
) -> None:
    """List what was said to a session and what became of it, newest first. `vigil listen` shows what is being said.

    \b
    Example:
      vigil transcripts s-5d0c6b6b4b1f4e7f --limit 50
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            found = await _all(client, session, limit)
        if as_json:
            console.print_json(msgspec.json.encode(found).decode())
            return True
        for said in found:
            when = said.begin_time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            line = f"{when}  {said.became:<13}  {printable(said.text)}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        if not found:
            console.print("nothing was said")
        return True

    run(work())


def say(
    session: SessionId,
    text: Annotated[str, typer.Argument(help="What the session is to say aloud.")],
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Have a session say something aloud, as an announcement of yours; `vigil listen` shows what became of it.

    \b
    Example:
      vigil say s-5d0c6b6b4b1f4e7f "Please leave the building by the nearest exit."
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            announcement = await client.say(session, text)
        console.print(f"told ({announcement}): the session says it unless it speaks for the next 5 s")
        return True

    run(work())


async def _all(client: Client, session: str, limit: int) -> list[PastTranscript]:
    """Page after page, until there are `limit`."""
    found: list[PastTranscript] = []
    page = TranscriptPage(session, (), None)
    is_first = True
    while (is_first or page.next is not None) and len(found) < limit:
        is_first = False
        page = await client.transcripts(session, limit=min(limit - len(found), MOST_A_PAGE), before=page.next)
        found += page.transcripts
    return found
