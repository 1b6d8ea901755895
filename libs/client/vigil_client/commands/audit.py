"""`vigil audit`: who asked to change what."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.running import console, run, show_table
from vigil_client.commands.subscribe import duration
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.values import AuditEntry, AuditPage

MOST_A_PAGE = 1_000
_REFUSED = 400


def audit(
    since: Annotated[
        timedelta | None,
        typer.Option("--since", parser=duration, metavar="1h", help="Begin this long ago; default: a day."),
    ] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Only what this key or person asked for.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List who asked to change what, oldest first. Takes a key with the role admin.

    \b
    Examples:
      vigil audit --since 1h
      vigil audit --since 7d --actor pager --json | jq .[].route
    """

    async def work() -> bool:
        begin = None if since is None else datetime.now(UTC) - since
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            found = await _all(client, begin, actor, limit)
        if as_json:
            console.print_json(msgspec.json.encode(found).decode())
        else:
            _show(found)
        return True

    run(work())


async def _all(client: Client, begin: datetime | None, actor: str | None, limit: int) -> list[AuditEntry]:
    """Page after page, until there are `limit`."""
    found: list[AuditEntry] = []
    page = AuditPage((), "")
    while page.next is not None and len(found) < limit:
        most = min(limit - len(found), MOST_A_PAGE)
        page = await client.audit(since=begin, actor=actor, limit=most, after=page.next or None)
        found += page.entries
    return found


def _show(found: list[AuditEntry]) -> None:
    if not found:
        console.print("nothing was recorded")
        return
    table = Table(box=None, header_style="dim")
    for title in ("time", "actor", "role", "status", "method", "route", "session", "address"):
        table.add_column(title, no_wrap=title != "route", overflow="fold")
    for entry in found:
        table.add_row(
            f"{entry.time.astimezone():%m-%d %H:%M:%S}",
            escape(entry.actor),
            escape(entry.role),
            f"[red]{entry.status}[/]" if entry.status >= _REFUSED else str(entry.status),
            escape(entry.method),
            escape(entry.route),
            escape(entry.session),
            escape(entry.address),
        )
    show_table(table)
