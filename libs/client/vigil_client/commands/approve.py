"""`vigil approve`: what brains ask to be allowed, granted or refused, once or for a pattern."""

import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from vigil_client.api import Client
from vigil_client.approvals import Approval, NewPattern, Pattern
from vigil_client.commands import target
from vigil_client.commands.printable import printable
from vigil_client.commands.running import console, run, show_table
from vigil_client.commands.subscribe import duration
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR

STYLES = {"requested": "yellow", "granted": "green", "refused": "red", "expired": "dim"}

Work = Callable[[Client], Awaitable[None]]


def approve(
    approval: Annotated[str, typer.Argument(help="Id of what is granted; none: list what waits for a decision.")] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it, in the place of granting it.")] = False,
    arguments: Annotated[
        str,
        typer.Option(
            "--arguments", metavar="GLOB", help="Grant later ones, too, whose arguments (JSON) fit: * is any."
        ),
    ] = "",
    tool: Annotated[
        str, typer.Option("--tool", metavar="GLOB", help="With --arguments: tools that fit; default: this tool.")
    ] = "",
    lasting: Annotated[
        timedelta | None,
        typer.Option(
            "--for", parser=duration, metavar="1h", help="With --arguments: how long; default: until it is taken back."
        ),
    ] = None,
    session: Annotated[str | None, typer.Option("--session", help="List only those of this session.")] = None,
    every: Annotated[bool, typer.Option("--all", help="List the decided ones of the last hour, too.")] = False,
    patterns: Annotated[bool, typer.Option("--patterns", help="List what is granted by itself.")] = False,
    take_back: Annotated[
        str, typer.Option("--take-back", metavar="PATTERN", help="End a pattern: somebody decides again.")
    ] = "",
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")] = False,
) -> None:
    """List what brains ask to be allowed; grant it, or refuse it, once or for later ones, too.

    A brain that wants to act, and not only to answer, asks first. Nobody's decision is a refusal, after five minutes by
    default. The first decision stays. It takes a key with the role operator.

    \b
    Examples:
      vigil approve
      vigil approve 3f9a1c20
      vigil approve 3f9a1c20 --refuse
      vigil approve 3f9a1c20 --arguments '{"queue": "lobby"*' --for 1d
      vigil approve --patterns
      vigil approve --take-back 3f9a1c20
    """
    _check(approval, refuse=refuse, arguments=arguments, tool=tool, lasting=lasting, lists=patterns, ends=take_back)
    work: Work
    if take_back:
        work = _taking_back(take_back)
    elif patterns:
        work = _listing_patterns(as_json)
    elif approval:
        work = _deciding(approval, refuse, _pattern(arguments, tool, lasting), as_json)
    else:
        work = _listing(every, session, as_json)
    run(_with_client(target.gateway(gateway, api_key, ca_file, data_dir), work))


def _check(
    approval: str, *, refuse: bool, arguments: str, tool: str, lasting: timedelta | None, lists: bool, ends: str
) -> None:
    """Raises `typer.BadParameter` for options that do not go together."""
    if sum((bool(approval), lists, bool(ends))) > 1:
        raise typer.BadParameter("give only one of an approval's id, --patterns and --take-back")
    if (refuse or arguments) and not approval:
        raise typer.BadParameter("give the id of the approval: `vigil approve` lists them")
    if refuse and arguments:
        raise typer.BadParameter("--arguments grants later ones, too: it does not go with --refuse")
    if (tool or lasting is not None) and not arguments:
        raise typer.BadParameter("--tool and --for go with --arguments: '*' is any")


def _pattern(arguments: str, tool: str, lasting: timedelta | None) -> NewPattern | None:
    if not arguments:
        return None
    minutes = None if lasting is None else max(1, math.ceil(lasting.total_seconds() / 60))
    return NewPattern(arguments, tool or None, minutes)


async def _with_client(place: tuple[str, str, str], work: Work) -> bool:
    async with Client(*place) as client:
        await work(client)
    return True


def _listing(every: bool, session: str | None, as_json: bool) -> Work:
    async def work(client: Client) -> None:
        _show(await client.approvals(state=None if every else "requested", session=session), as_json)

    return work


def _deciding(approval: str, refuse: bool, pattern: NewPattern | None, as_json: bool) -> Work:
    async def work(client: Client) -> None:
        calls = client.approvals
        _show((await (calls.refuse(approval) if refuse else calls.grant(approval, pattern)),), as_json)

    return work


def _listing_patterns(as_json: bool) -> Work:
    async def work(client: Client) -> None:
        _show_patterns(await client.approvals.patterns(), as_json)

    return work


def _taking_back(pattern: str) -> Work:
    async def work(client: Client) -> None:
        await client.approvals.remove_pattern(pattern)
        console.print(f"pattern {pattern} grants nothing any more", markup=False, highlight=False)

    return work


def _show(found: Sequence[Approval], as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(found).decode())
        return
    if not found:
        console.print("nothing waits for an approval")
    for approval in found:
        state = f"[{STYLES.get(approval.state, 'default')}]{escape(approval.state)}[/]{_how(approval)}"
        console.print(f"{state}  {escape(approval.id)}  task {escape(approval.task)}", highlight=False, soft_wrap=True)
        for title, words in (
            ("tool", approval.tool),
            ("arguments", approval.arguments),
            ("it says", approval.summary),
        ):
            if words:
                console.print(f"  [dim]{title:<9}[/]  {escape(printable(words))}", highlight=False, soft_wrap=True)


def _how(approval: Approval) -> str:
    """By whom it was decided, or how long there is to decide."""
    if approval.state == "requested":
        left = max(0, math.ceil((approval.expires_at - datetime.now(UTC)).total_seconds()))
        return f" (refused by itself in {left} s)"
    by = f"a pattern for {approval.pattern}" if approval.pattern else approval.by
    return f" by {escape(printable(by))}" if by else ""


def _show_patterns(found: Sequence[Pattern], as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(found).decode())
        return
    if not found:
        console.print("no patterns: every action is decided one by one")
        return
    table = Table(box=None, header_style="dim")
    for title in ("pattern", "tool", "until", "arguments"):
        table.add_column(title, no_wrap=title != "arguments", overflow="fold")
    for pattern in found:
        until = "taken back" if pattern.expires_at is None else f"{pattern.expires_at.astimezone():%m-%d %H:%M}"
        table.add_row(escape(pattern.id), escape(printable(pattern.tool)), until, escape(printable(pattern.arguments)))
    show_table(table)
