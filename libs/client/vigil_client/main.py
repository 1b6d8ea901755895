"""The `vigil` command: its own commands, and those of the packages that are installed beside it."""

from collections.abc import Callable, Collection, Sequence
from importlib.metadata import entry_points

import typer

from vigil_client.commands.alerts import alerts
from vigil_client.commands.approve import approve
from vigil_client.commands.audit import audit
from vigil_client.commands.memory import memory
from vigil_client.commands.running import run_program
from vigil_client.commands.sessions import ask, sessions
from vigil_client.commands.subscribe import subscribe
from vigil_client.commands.tasks import tasks
from vigil_client.commands.turns import turns
from vigil_client.commands.watch import watch

ADDED = "vigil.commands"  # the entry-point group by which a package adds a command
Command = Callable[..., None] | typer.Typer  # a group of commands is a Typer
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


def command_line() -> typer.Typer:
    """The `vigil` command with every command that is installed."""
    commands: dict[str, Command] = {
        "watch": watch,
        "alerts": alerts,
        "approve": approve,
        "audit": audit,
        "subscribe": subscribe,
        "ask": ask,
        "memory": memory,
        "sessions": sessions,
        "tasks": tasks,
        "turns": turns,
    }
    commands |= {added.name: added.load() for added in entry_points(group=ADDED)}
    app = typer.Typer(
        help=help_text(commands),
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    for name in (*(name for name in BEGINNINGS if name in commands), *sorted(commands.keys() - BEGINNINGS.keys())):
        command = commands[name]
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, by default that of the process, and exit with its status."""
    run_program(command_line(), "vigil", arguments)
