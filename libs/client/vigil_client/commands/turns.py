"""`vigil turns`: what was decided turn by turn, what the model saw, and what it was asked."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.running import console, run
from vigil_client.commands.sessions import SessionId
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.events import Decision
from vigil_client.strip import clock
from vigil_client.turns import Prompt, PromptPart, TurnPage

MOST_A_PAGE = 500


def turns(
    session: SessionId,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest ones.")] = 20,
    before: Annotated[int | None, typer.Option("--before", min=0, help="Only turns before this one.")] = None,
    prompt: Annotated[
        int | None, typer.Option("--prompt", min=0, help="Show all that the engine was asked for this turn.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--picture", metavar="FILE", help="Save the picture that the model saw (JPEG).")
    ] = None,
    of: Annotated[
        int | None, typer.Option("--of", min=0, help="With --picture: that of this turn; default: the newest.")
    ] = None,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")] = False,
) -> None:
    """List the turns of a session, newest first; or show what the model saw, or was asked, in one of them.

    \b
    Examples:
      vigil turns s-5d0c6b6b4b1f4e7f --limit 50
      vigil turns s-5d0c6b6b4b1f4e7f --prompt 12
      vigil turns s-5d0c6b6b4b1f4e7f --picture seen.jpg --of 12
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            if picture is not None:
                picture.write_bytes(await client.frame(session, of))
                console.print(f"saved {picture}", markup=False, highlight=False)
            elif prompt is not None:
                _show_prompt(await client.prompt(session, prompt), as_json)
            else:
                _show_turns(await _all(client, session, before, limit), as_json)
        return True

    run(work())


async def _all(client: Client, session: str, before: int | None, limit: int) -> list[Decision]:
    """Page after page, until there are `limit`."""
    found: list[Decision] = []
    page = TurnPage(session, (), before)
    is_first = True
    while (is_first or page.next is not None) and len(found) < limit:
        is_first = False
        page = await client.turns(session, limit=min(limit - len(found), MOST_A_PAGE), before=page.next)
        found += page.turns
    return found


def _show_turns(found: list[Decision], as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(found).decode())
        return
    if not found:
        console.print("no turns")
    for turn in found:
        p = "" if turn.p_speak is None else f"  p(speak) {turn.p_speak:.2f}"
        tokens = f"{turn.prompt_tokens} tokens, {turn.cached_tokens} cached"
        words = f"  {turn.text!r}" if turn.text else ""
        when = f"{turn.sequence:>6}  {clock(turn.time_s):>8}"
        line = f"{when}  {turn.action:<8}{p}  {turn.latency_ms:.0f} ms  {tokens}{words}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)
        for noticed in turn.observed:
            console.print(f"{'':>18}{noticed}", markup=False, highlight=False, soft_wrap=True)


def _show_prompt(prompt: Prompt, as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(prompt).decode())
        return
    for message in prompt.messages:
        console.print(f"[dim]{escape(message.role)}[/]", highlight=False)
        for part in message.parts:
            console.print(_part(part), markup=False, highlight=False, soft_wrap=True)
    console.print("[dim]reply[/]", highlight=False)
    console.print(prompt.reply, markup=False, highlight=False, soft_wrap=True)


def _part(part: PromptPart) -> str:
    if part.type == "text":
        return part.text
    return f"[picture {part.width}x{part.height} {part.path or part.uuid}]"
