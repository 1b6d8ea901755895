"""`vigil alerts`: the alerts that are open, and those that there were."""

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
from vigil_client.strip import SEVERITY_STYLES
from vigil_client.values import AlertPage, AlertRecord

MOST_A_PAGE = 500


def alerts(
    is_open: Annotated[
        bool | None, typer.Option("--open/--closed", help="Only those that are open, or that have closed.")
    ] = None,
    since: Annotated[
        timedelta | None,
        typer.Option("--since", parser=duration, metavar="1h", help="Begin this long ago; default: a day."),
    ] = None,
    session: Annotated[str | None, typer.Option("--session", help="Only those of this session.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List alerts, those that began last first.

    \b
    Examples:
      vigil alerts --open
      vigil alerts --since 7d --session s-5d0c6b6b4b1f4e7f --json | jq .[].text
    """

    async def work() -> bool:
        begin = None if since is None else datetime.now(UTC) - since
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            found = await _all(client, is_open, begin, session, limit)
        if as_json:
            console.print_json(msgspec.json.encode(found).decode())
        else:
            _show(found)
        return True

    run(work())


async def _all(
    client: Client, is_open: bool | None, begin: datetime | None, session: str | None, limit: int
) -> list[AlertRecord]:
    """Page after page, until there are `limit`."""
    found: list[AlertRecord] = []
    page = AlertPage((), "")
    while page.next is not None and len(found) < limit:
        page = await client.alerts(
            is_open=is_open,
            since=begin,
            session=session,
            limit=min(limit - len(found), MOST_A_PAGE),
            before=page.next or None,
        )
        found += page.alerts
    return found


def _show(found: list[AlertRecord]) -> None:
    if not found:
        console.print("no alerts")
        return
    table = Table(box=None, header_style="dim")
    for title in ("opened", "closed", "severity", "watch", "camera", "session", "words"):
        table.add_column(title, no_wrap=title != "words", overflow="fold")
    for alert in found:
        table.add_row(
            f"{alert.opened_at.astimezone():%m-%d %H:%M:%S}",
            "open" if alert.closed_at is None else f"{alert.closed_at.astimezone():%m-%d %H:%M:%S}",
            f"[{SEVERITY_STYLES.get(alert.severity, '')}]{escape(alert.severity)}[/]"
            if alert.severity in SEVERITY_STYLES
            else escape(alert.severity),
            escape(alert.watch),
            escape(alert.source_name or alert.source_id),
            escape(alert.session),
            escape(alert.text),
        )
    show_table(table)
