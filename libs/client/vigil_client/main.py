"""The `vigil` command."""

import sys
from importlib.metadata import entry_points

import typer

from vigil_client.commands.demo import demo
from vigil_client.commands.doctor import doctor
from vigil_client.commands.running import FAILED, show_error
from vigil_client.commands.sessions import ask, sessions
from vigil_client.commands.subscribe import subscribe
from vigil_client.commands.up import up
from vigil_client.commands.watch import watch
from vigil_client.errors import ClientError

HELP = """Vigil watches live video and acts at the right moment.

\b
Begin with:
  vigil demo                                   everything at once, with a rendered camera
  vigil up                                     run it all on this machine
  vigil watch VIDEO --alert "Alert me when a fire starts."
  vigil subscribe alerts                       hear the alerts, live
  vigil doctor                                 what is missing here, and how to mend it
"""

app = typer.Typer(
    help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
)
for command in (demo, up, watch, subscribe, ask, doctor):
    app.command()(command)
app.add_typer(sessions, name="sessions")
for added in entry_points(group="vigil.commands"):  # of packages that are installed beside this one
    app.command(added.name)(added.load())


def main() -> None:
    """Entry point: whatever a command cannot do is a message and a status of 1, never a traceback."""
    try:
        app()
    except ClientError as error:
        show_error(error)
        sys.exit(FAILED)
    except OSError as error:
        show_error(ClientError(f"{error.filename or 'the system'}: {error.strerror or error}", "check path and rights"))
        sys.exit(FAILED)
