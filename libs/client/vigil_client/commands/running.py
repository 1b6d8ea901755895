"""How a command runs: its coroutine is cancelled by Ctrl-C and SIGTERM, its result becomes the exit status."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, NoReturn

import typer
import uvloop
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from typer.core import TyperGroup

from vigil_client.commands.hints import next_step, typed
from vigil_client.errors import ClientError
from vigil_client.values import Notice

# A second signal within this time is an echo of the first (a terminal signals every program in front of it, and some
# of those pass it on), not impatience.
ECHO_S = 1.0
FAILED = 1

console = Console()
stderr = Console(stderr=True)


def run(work: Coroutine[Any, Any, bool], *, if_stopped: bool = True) -> NoReturn:
    """Run a command to its end; exit 0 when it returns True. `if_stopped` is its result when a signal stops it."""
    succeeded = uvloop.run(_interruptible(work, if_stopped))
    raise typer.Exit(0 if succeeded else FAILED)


def run_program(app: typer.Typer, name: str, arguments: Sequence[str] | None = None) -> None:
    """Run a program's command, by default that of the process, and exit with its status.

    Whatever a command cannot do is a message and a status of 1, never a traceback; a wrong option is a status of 2.
    """
    try:
        app(arguments, prog_name=name)
    except ClientError as error:
        show_error(error)
        sys.exit(FAILED)
    except OSError as error:
        show_error(ClientError(f"{error.filename or 'the system'}: {error.strerror or error}", "check path and rights"))
        sys.exit(FAILED)


def run_by_default(context: typer.Context, name: str) -> None:
    """Run the subcommand `name` as if it had been typed: its options read their environment variables."""
    group = context.command
    if not isinstance(group, TyperGroup):
        raise TypeError(f"{context.info_name} has no subcommands")
    command = group.commands[name]
    with command.make_context(name, [], parent=context) as chosen:
        command.invoke(chosen)


def show_error(error: ClientError) -> None:
    """The message, the last lines of a log where there are some, and the next step."""
    stderr.print(f"[bold red]error[/]  {escape(typed(error.message))}", soft_wrap=True, highlight=False)
    for line in error.lines:
        stderr.print(f"  [dim]│[/] {escape(line)}", soft_wrap=True, highlight=False)
    if step := next_step(error):
        stderr.print(f"[bold]next[/]   {escape(step)}", soft_wrap=True, highlight=False)


def show_notices(notices: Iterable[Notice]) -> None:
    """What the gateway says about a session that runs all the same."""
    for notice in notices:
        console.print(f"[bold yellow]notice[/] {escape(notice.message)}\n", soft_wrap=True, highlight=False)


def show_table(table: Table) -> None:
    """Every cell whole, also in a narrow terminal or a pipe: what is cut off can be neither read nor copied."""
    anything_fits = console.options.update(max_width=10_000)
    table.width = console.measure(table, options=anything_fits).maximum
    console.print(table, crop=False)


async def _interruptible(work: Coroutine[Any, Any, bool], if_stopped: bool) -> bool:
    """Run `work` until it ends or a signal cancels it, which closes all that the command has open. A second signal ends
    the process at once, for somebody to whom the closing takes too long."""
    task = asyncio.create_task(work)
    first: list[float] = []

    def stop() -> None:
        if not first:
            first.append(time.monotonic())
            task.cancel()
        elif time.monotonic() - first[0] > ECHO_S:
            os._exit(130)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop)
    try:
        return await task
    except asyncio.CancelledError:
        return if_stopped
