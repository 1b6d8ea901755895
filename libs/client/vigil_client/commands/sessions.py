"""`vigil sessions` and `vigil ask`."""

import json
from datetime import datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.running import console, run
from vigil_client.commands.target import ApiKey, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.strip import clock
from vigil_client.values import Session

TURNS_SHOWN = 20

sessions = typer.Typer(invoke_without_command=True)

SessionId = Annotated[str, typer.Argument(help="Session id, as `vigil sessions list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")]


@sessions.callback()
def by_default(context: typer.Context) -> None:
    """List, show and end sessions; alone it lists them.

    \b
    Examples:
      vigil sessions
      vigil sessions show s-5d0c6b6b4b1f4e7f
      vigil sessions end s-5d0c6b6b4b1f4e7f
    """
    if context.invoked_subcommand is None:
        context.invoke(list_sessions)


@sessions.command("list")
def list_sessions(
    gateway: Gateway = "", api_key: ApiKey = "", data_dir: DataDir = DATA_DIR, as_json: Json = False
) -> None:
    """List the open sessions and those that ended a short while ago."""

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, data_dir)) as client:
            _show_list(await client.sessions(), as_json)
        return True

    run(work())


@sessions.command()
def show(
    session: SessionId, gateway: Gateway = "", api_key: ApiKey = "", data_dir: DataDir = DATA_DIR, as_json: Json = False
) -> None:
    """Show a session: its source, its watches, how far it is, what was said last."""

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, data_dir)) as client:
            found = await client.session(session)
            if as_json:
                console.print_json(json.dumps(dict(found.raw)))
                return True
            watches, turns = await client.watches(session), await client.history(session)
        _show_list((found,), as_json=False)
        for watch in watches:
            waiting = " (waits for the next turn)" if watch.pending else ""
            console.print(f"watch {watch.watch} [dim]{watch.id}[/]  {escape(watch.text)}{waiting}")
        for turn in turns[-TURNS_SHOWN:]:
            console.print(f"{clock(turn.time_s):>8}  {turn.action:<8}  {escape(turn.text)}", highlight=False)
        return True

    run(work())


@sessions.command()
def end(session: SessionId, gateway: Gateway = "", api_key: ApiKey = "", data_dir: DataDir = DATA_DIR) -> None:
    """Stop watching."""

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, data_dir)) as client:
            await client.end_session(session)
        console.print(f"session {session} has ended")
        return True

    run(work())


def ask(
    session: SessionId,
    question: Annotated[str, typer.Argument(help="What to ask about what the camera shows.")],
    gateway: Gateway = "",
    api_key: ApiKey = "",
    data_dir: DataDir = DATA_DIR,
) -> None:
    """Ask the model about what it sees; the answer appears in `vigil watch` and `vigil subscribe utterances`.

    \b
    Example:
      vigil ask s-5d0c6b6b4b1f4e7f "What do you see?"
    """

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, data_dir)) as client:
            query = await client.ask(session, question)
        console.print(f"asked ({query}): the model sees the question with its next frame")
        return True

    run(work())


def _show_list(found: tuple[Session, ...], as_json: bool) -> None:
    if as_json:
        console.print_json(json.dumps([dict(one.raw) for one in found]))
        return
    if not found:
        console.print('no sessions; start one with: vigil watch SOURCE --alert "Alert me when …"')
        return
    table = Table(box=None, header_style="dim")
    for title in ("session", "state", "camera", "source", "model", "since"):
        table.add_column(title, no_wrap=title in ("session", "state", "since"), overflow="fold")
    for one in found:
        since = datetime.fromisoformat(one.created_at).astimezone()
        table.add_row(
            one.id, one.state, escape(one.source_name), escape(one.source_url), one.model, f"{since:%m-%d %H:%M:%S}"
        )
    console.print(table)
