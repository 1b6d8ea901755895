"""The `vigil-provision` command, which the container of the same name runs."""

from collections.abc import Sequence

import typer

from vigil_client.commands.running import run_program
from vigil_provision.commands.keys import keys
from vigil_provision.commands.modules import modules
from vigil_provision.commands.streams import streams
from vigil_provision.commands.write import write


def command_line() -> typer.Typer:
    """The command with its parts."""
    app = typer.Typer(
        help="Configuration, credentials, API keys and modules of a deployment of containers.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.command("write")(write)
    app.command("streams")(streams)
    app.add_typer(keys, name="keys")
    app.add_typer(modules, name="modules")
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command, by default that of the process, and exit with its status."""
    run_program(command_line(), "vigil-provision", arguments)
