"""`vigil alerts`: the alerts that are open, and those that there were; acknowledged, muted, exported."""

import math
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec
import typer

from vigil_client.alert_calls import Selection
from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.alert_tables import show_alerts, show_life
from vigil_client.commands.options import one_of
from vigil_client.commands.running import console, run
from vigil_client.commands.subscribe import duration
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.options import SEVERITIES
from vigil_client.values import AlertPage, AlertRecord

MOST_A_PAGE = 500
HALF_AN_HOUR = timedelta(minutes=30)
FORMS = ("csv", "jsonl")

Work = Callable[[Client], Awaitable[None]]


def alerts(
    is_open: Annotated[
        bool | None, typer.Option("--open/--closed", help="Only those that are open, or that have closed.")
    ] = None,
    since: Annotated[
        timedelta | None,
        typer.Option("--since", parser=duration, metavar="1h", help="Begin this long ago; default: a day."),
    ] = None,
    session: Annotated[str | None, typer.Option("--session", help="Only those of this session.")] = None,
    watch: Annotated[str | None, typer.Option("--watch", help="Only those of watches of this name.")] = None,
    severity: Annotated[
        str | None,
        typer.Option(
            "--severity", parser=one_of(SEVERITIES), metavar="|".join(SEVERITIES), help="Only those that are so urgent."
        ),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", help="Only those of this camera (its source id).")] = None,
    acknowledged: Annotated[
        bool | None,
        typer.Option("--acknowledged/--unacknowledged", help="Only those that somebody sees to, or that nobody does."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    show: Annotated[str, typer.Option("--show", metavar="ALERT", help="Show one alert with all its events.")] = "",
    acknowledge: Annotated[
        str, typer.Option("--acknowledge", metavar="ALERT", help="Tell every subscriber that you see to this one.")
    ] = "",
    mute: Annotated[
        str, typer.Option("--mute", metavar="ALERT", help="Ask every subscriber to be quiet about this one.")
    ] = "",
    mute_for: Annotated[
        timedelta | None,
        typer.Option(
            "--for", parser=duration, metavar="1h", help="With --mute: how long; default: 30m; 0s ends a mute."
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="With --acknowledge or --mute: words for who hears of it.")] = "",
    export: Annotated[
        str | None,
        typer.Option("--export", parser=one_of(FORMS), metavar="|".join(FORMS), help="Write them all as a file."),
    ] = None,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False,
) -> None:
    """List alerts, those that began last first; show, acknowledge, mute or export them.

    \b
    Examples:
      vigil alerts --open --unacknowledged
      vigil alerts --since 7d --session s-5d0c6b6b4b1f4e7f --json | jq .[].text
      vigil alerts --acknowledge ALERT --note "on my way"
      vigil alerts --mute ALERT --for 1h
      vigil alerts --since 7d --export csv > alerts.csv
    """
    if sum(map(bool, (show, acknowledge, mute, export))) > 1:
        raise typer.BadParameter("give only one of --show, --acknowledge, --mute and --export")
    selected = Selection(
        is_open=is_open,
        since=None if since is None else datetime.now(UTC) - since,
        session=session,
        watch=watch,
        severity=severity,
        source=source,
        acknowledged=acknowledged,
    )
    if show:
        work = _showing(show, as_json)
    elif acknowledge:
        work = _acknowledging(acknowledge, note, as_json)
    elif mute:
        work = _muting(mute, HALF_AN_HOUR if mute_for is None else mute_for, note, as_json)
    elif export is not None:
        work = _exporting("jsonl" if export == "jsonl" else "csv", selected)
    else:
        work = _listing(selected, limit, as_json)
    run(_with_client(target.gateway(gateway, api_key, ca_file, data_dir), work))


async def _with_client(place: tuple[str, str, str], work: Work) -> bool:
    async with Client(*place) as client:
        await work(client)
    return True


def _listing(selected: Selection, limit: int, as_json: bool) -> Work:
    async def work(client: Client) -> None:
        _print(await _all(client, selected, limit), as_json)

    return work


def _showing(alert_id: str, as_json: bool) -> Work:
    async def work(client: Client) -> None:
        found = await client.alerts.show(alert_id)
        if as_json:
            console.print_json(msgspec.json.encode(found).decode())
        else:
            show_life(found)

    return work


def _acknowledging(alert_id: str, note: str, as_json: bool) -> Work:
    async def work(client: Client) -> None:
        _print([await client.alerts.acknowledge(alert_id, note)], as_json)

    return work


def _muting(alert_id: str, how_long: timedelta, note: str, as_json: bool) -> Work:
    async def work(client: Client) -> None:
        minutes = math.ceil(how_long.total_seconds() / 60)
        _print([await client.alerts.mute(alert_id, minutes, note)], as_json)

    return work


def _exporting(form: Literal["csv", "jsonl"], selected: Selection) -> Work:
    async def work(client: Client) -> None:
        async for part in client.alerts.export(form, **selected):
            sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()

    return work


async def _all(client: Client, selected: Selection, limit: int) -> list[AlertRecord]:
    """Page after page, until there are `limit`."""
    found: list[AlertRecord] = []
    page = AlertPage((), "")
    while page.next is not None and len(found) < limit:
        page = await client.alerts(limit=min(limit - len(found), MOST_A_PAGE), before=page.next or None, **selected)
        found += page.alerts
    return found


def _print(found: Sequence[AlertRecord], as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(found).decode())
    else:
        show_alerts(found)
