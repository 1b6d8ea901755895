"""`vigil memory`: what a session remembers, tier by tier, and what a question recalls of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from vigil_client.api import Client
from vigil_client.commands import target
from vigil_client.commands.printable import printable
from vigil_client.commands.running import console, run, show_table
from vigil_client.commands.sessions import SessionId
from vigil_client.commands.target import ApiKey, CaFile, DataDir, Gateway
from vigil_client.endpoints import DATA_DIR
from vigil_client.memory import ArchivePage, Memory, Recall, Tier

TIERS = {"long": "cyan", "mid": "green", "unwritten": "yellow", "turns": "bold"}


class Row(NamedTuple):
    """A span of time and the tier that has it."""

    tier: str
    from_s: float
    to_s: float
    tokens: int
    text: str


def memory(
    session: SessionId,
    ask: Annotated[
        str,
        typer.Option("--ask", metavar="QUESTION", help="What the memory holds about a question; no model is asked."),
    ] = "",
    time_zone: Annotated[
        str,
        typer.Option(
            "--time-zone", metavar="NAME", help="With --ask: where its times of day hold; default: the session's."
        ),
    ] = "",
    archive: Annotated[bool, typer.Option("--archive", help="The summaries and answers as they were written.")] = False,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")] = False,
) -> None:
    """Show what a session remembers: which time is in which tier, and how many tokens it takes.

    The long term has merged blocks, the mid term a summary of each span of turns. An unwritten span waits for its
    summary. The newest turns are in the prompt themselves.

    \b
    Examples:
      vigil memory s-5d0c6b6b4b1f4e7f
      vigil memory s-5d0c6b6b4b1f4e7f --ask "What happened between 14:00 and 15:00?" --time-zone Asia/Tokyo
      vigil memory s-5d0c6b6b4b1f4e7f --archive
    """
    if ask and archive:
        raise typer.BadParameter("give only one of --ask and --archive")
    if time_zone and not ask:
        raise typer.BadParameter("--time-zone goes with --ask")

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            found: Memory | Recall | ArchivePage
            if ask:
                found = await client.memory.recall(session, ask, time_zone=time_zone)
            elif archive:
                found = await client.memory.archive(session)
            else:
                found = await client.memory(session)
        if as_json:
            console.print_json(msgspec.json.encode(found).decode())
        else:
            _show(found)
        return True

    run(work())


def rows(memory: Memory) -> Iterator[Row]:
    """The spans of a memory, oldest first."""
    spans = [
        *(
            Row("long" if block.level else "mid", block.from_s, block.to_s, block.tokens, block.text)
            for block in memory.blocks
        ),
        *(Row("unwritten", span.from_s, span.to_s, 0, f"{len(span.frames)} pictures") for span in memory.unwritten),
    ]
    yield from sorted(spans, key=lambda row: row.from_s)
    if memory.turns_from_s is not None and memory.time_s is not None:
        yield Row("turns", memory.turns_from_s, memory.time_s, 0, f"{memory.turns} turns, as they were")


def _show(found: Memory | Recall | ArchivePage) -> None:
    match found:
        case Memory():
            _show_memory(found)
        case Recall():
            _show_recall(found)
        case _:
            _show_archive(found)


def _show_memory(found: Memory) -> None:
    if not found.settings.is_on:
        console.print("the memory of this session is off: it knows the turns of its prompt, and no others")
    if found.forgotten_s > 0:
        console.print(f"nothing is kept of the time before {_clock(found.forgotten_s, found.began_at)}")
    table = _table("tier", "from", "to", "tokens", "text")
    for row in rows(found):
        table.add_row(
            f"[{TIERS[row.tier]}]{row.tier}[/]",
            _clock(row.from_s, found.began_at),
            _clock(row.to_s, found.began_at),
            str(row.tokens or ""),
            escape(printable(row.text)),
        )
    show_table(table)
    for name, tier in (("long", found.tiers.long), ("mid", found.tiers.mid)):
        console.print(_fullness(name, tier), highlight=False)


def _show_recall(found: Recall) -> None:
    if not found.lines:
        console.print("the memory holds nothing about it")
        return
    table = _table("from", "to", "kind", "pictures", "text")
    for line in found.lines:
        pictures = str(len(line.frames) or "")
        begin, end = _moment(line.from_at, line.from_s), _moment(line.to_at, line.to_s)
        table.add_row(begin, end, escape(line.kind), pictures, escape(printable(line.text)))
    show_table(table)


def _show_archive(found: ArchivePage) -> None:
    if not found.entries:
        console.print("the archive is empty: nothing has left the prompt yet")
        return
    table = _table("from", "to", "kind", "pictures", "text")
    for entry in found.entries:
        words = f"{entry.question} {entry.text}" if entry.question else entry.text
        pictures = str(len(entry.frames) or "")
        shown = escape(printable(words))
        table.add_row(_clock(entry.from_s, None), _clock(entry.to_s, None), entry.kind, pictures, shown)
    show_table(table)
    if found.next is not None:
        console.print("there are earlier entries, too: `archive(before=…)` of the SDK reads them")


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="dim")
    for title in titles:
        table.add_column(title, no_wrap=title != "text", overflow="fold")
    return table


def _fullness(name: str, tier: Tier) -> str:
    style = TIERS[name]
    of_tokens = f"{tier.tokens:,} of {tier.limit_tokens:,} tokens"
    return f"[{style}]{name}[/]  {tier.blocks} of {tier.limit_blocks} blocks, {of_tokens}"


def _clock(time_s: float, began_at: datetime | None) -> str:
    """A model time: as a time of day where that is known, else as hours, minutes and seconds since the beginning."""
    if began_at is not None:
        return f"{(began_at + timedelta(seconds=time_s)).astimezone():%m-%d %H:%M:%S}"
    minutes, seconds = divmod(int(time_s), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _moment(at: datetime | None, time_s: float) -> str:
    return _clock(time_s, None) if at is None else f"{at.astimezone():%m-%d %H:%M:%S}"
