"""The `vigil` command: its own commands, and those of the packages that are installed beside it.

To import all of them takes seconds, so a command that was named is imported alone.
"""

import sys
from collections.abc import Callable, Collection, Sequence
from importlib.metadata import EntryPoint, entry_points

import typer

from vigil_client.commands.running import run_program

ADDED = "vigil.commands"  # the entry-point group by which a package adds a command
Command = Callable[..., None] | typer.Typer  # a group of commands is a Typer
OWN = {
    "watch": "vigil_client.commands.watch:watch",
    "alerts": "vigil_client.commands.alerts:alerts",
    "approve": "vigil_client.commands.approve:approve",
    "audit": "vigil_client.commands.audit:audit",
    "subscribe": "vigil_client.commands.subscribe:subscribe",
    "ask": "vigil_client.commands.sessions:ask",
    "listen": "vigil_client.commands.listen:listen",
    "memory": "vigil_client.commands.memory:memory",
    "observe": "vigil_client.commands.observe:observe",
    "say": "vigil_client.commands.speech:say",
    "sessions": "vigil_client.commands.sessions:sessions",
    "tasks": "vigil_client.commands.tasks:tasks",
    "transcripts": "vigil_client.commands.speech:transcripts",
    "turns": "vigil_client.commands.turns:turns",
    "voices": "vigil_client.commands.voices:voices",
}
ABOUT = "Vigil watches live video and acts at the right moment."
# How to begin, by command, in the order in which a newcomer needs them.
BEGINNINGS = {
    "demo": "vigil demo                                   everything at once, with a rendered camera",
    "up": "vigil up                                     run it all on this machine",
    "watch": 'vigil watch VIDEO --alert "Alert me when a fire starts."',
    "alerts": "vigil alerts --open                          which alerts are open, and which there were",
    "subscribe": "vigil subscribe alerts                       hear the alerts, live",
    "sessions": "vigil sessions                               what is being watched now",
    "keys": "vigil keys                                   who may use it, as which tenant, with which role",
    "doctor": "vigil doctor                                 what is missing here, and how to mend it",
}


def help_text(commands: Collection[str]) -> str:
    """The help of `vigil` where these commands are installed: it advises no other."""
    lines = [f"  {example}" for command, example in BEGINNINGS.items() if command in commands]
    return "\n".join((ABOUT, "", "\b", "Begin with:", *lines))


def installed() -> dict[str, EntryPoint]:
    """Every command that is installed, by name; none of them is imported."""
    own = {name: EntryPoint(name, place, ADDED) for name, place in OWN.items()}
    return own | {added.name: added for added in entry_points(group=ADDED)}


def command_line(wanted: str = "") -> typer.Typer:
    """The `vigil` command with the command `wanted`; with every one that is installed where there is none of that
    name."""
    found = installed()
    app = typer.Typer(
        help=help_text(found.keys()),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_anything)  # a program with a single command would lose that command's name
    first = [name for name in BEGINNINGS if name in found]
    for name in [wanted] if wanted in found else [*first, *sorted(found.keys() - BEGINNINGS.keys())]:
        command: Command = found[name].load()
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, by default that of the process, and exit with its status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    run_program(command_line(given[0] if given else ""), "vigil", given)


def _anything() -> None: ...
