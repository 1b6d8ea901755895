"""`vigil tasks`: the delegated questions of a session, what brains have found, and the files that they made."""

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

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
from vigil_client.tasks import Artefact, Task

STYLES = {"queued": "dim", "running": "cyan", "waiting_approval": "yellow", "ready": "green", "error": "bold red"}


def tasks(
    session: SessionId,
    show: Annotated[str, typer.Option("--show", metavar="TASK", help="Show one task whole.")] = "",
    cancel: Annotated[
        str, typer.Option("--cancel", metavar="TASK", help="Let its brain stop: nobody wants the answer any more.")
    ] = "",
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FOLDER", help="With --show: save the files that its brain made.")
    ] = None,
    gateway: Gateway = "",
    api_key: ApiKey = "",
    ca_file: CaFile = "",
    data_dir: DataDir = DATA_DIR,
    as_json: Annotated[bool, typer.Option("--json", help="Print the gateway's answer as JSON.")] = False,
) -> None:
    """List the questions that the model delegated in a session; show one, save its files, or cancel it.

    A delegated question is a task. It waits for a brain (queued), a brain works on it (running), or asks whether it may
    act (waiting_approval: see `vigil approve`), until there is an answer (ready), none (error), or nobody wants it any
    more (cancelled).

    \b
    Examples:
      vigil tasks s-5d0c6b6b4b1f4e7f
      vigil tasks s-5d0c6b6b4b1f4e7f --show s-5d0c6b6b4b1f4e7f-42 --save answers
      vigil tasks s-5d0c6b6b4b1f4e7f --cancel s-5d0c6b6b4b1f4e7f-42
    """
    if show and cancel:
        raise typer.BadParameter("give only one of --show and --cancel")
    if save is not None and not show:
        raise typer.BadParameter("--save goes with --show: it saves the files of one task")

    async def work() -> bool:
        async with Client(*target.gateway(gateway, api_key, ca_file, data_dir)) as client:
            if cancel:
                await client.tasks.cancel(session, cancel)
                console.print(f"task {cancel} is cancelled", markup=False, highlight=False)
            elif show:
                found = await client.tasks.show(session, show)
                _show_one(found, as_json)
                if save is not None:
                    await _save(client, found, save)
            else:
                _show_list(await client.tasks(session), as_json)
        return True

    run(work())


def file_name(artefact: Artefact) -> str:
    """The name under which a brain's file is saved: its own, without anything that would lead out of the folder."""
    kept = re.sub(r"[^\w.-]+", "-", artefact.name).lstrip(".-")[:100]
    return f"{artefact.index}-{kept or 'artefact'}"


async def _save(client: Client, task: Task, folder: Path) -> None:
    for artefact in task.artefacts:
        _write(folder, file_name(artefact), await client.tasks.artefact(task.session, task.id, artefact.index))


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    console.print(f"saved {folder / name}", markup=False, highlight=False)


def _show_list(found: Sequence[Task], as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(found).decode())
        return
    if not found:
        console.print("no tasks: the model has delegated no question in this session")
        return
    table = Table(box=None, header_style="dim")
    for title in ("opened", "ended", "state", "brain", "task", "files", "question", "answer"):
        table.add_column(title, no_wrap=title not in ("question", "answer"), overflow="fold")
    for task in found:
        table.add_row(
            _when(task.opened_at),
            _when(task.ended_at),
            _state(task),
            escape(task.brain),
            escape(task.id),
            str(len(task.artefacts) or ""),
            escape(printable(task.question)),
            escape(printable(task.text)),
        )
    show_table(table)


def _show_one(task: Task, as_json: bool) -> None:
    if as_json:
        console.print_json(msgspec.json.encode(task).decode())
        return
    by = f" by {escape(task.brain)}" if task.brain else ""
    console.print(f"{_state(task)}{by}  {escape(task.id)}  turn {task.sequence}", highlight=False, soft_wrap=True)
    for title, words in (("question", task.question), ("said meanwhile", task.note), ("answer", task.text)):
        if words:
            console.print(f"[dim]{title}[/]  {escape(printable(words))}", highlight=False, soft_wrap=True)
    for artefact in task.artefacts:
        line = f"[dim]file {artefact.index}[/]  {escape(printable(artefact.name))}  {escape(artefact.media_type)}"
        console.print(f"{line}  {artefact.size:,} bytes  {escape(artefact.path)}", highlight=False, soft_wrap=True)


def _state(task: Task) -> str:
    style = STYLES.get(task.state)
    return f"[{style}]{task.state}[/]" if style else escape(task.state)


def _when(time: datetime | None) -> str:
    return "" if time is None else f"{time.astimezone():%m-%d %H:%M:%S}"
