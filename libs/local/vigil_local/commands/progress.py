"""How the processes of `vigil up` are shown: a live table on a terminal, a line for each change anywhere else."""

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from vigil_local.supervisor.supervisor import State, Status

STYLES = {
    State.WAITING: "dim",
    State.STARTING: "yellow",
    State.READY: "green",
    State.RESTARTING: "bold red",
    State.STOPPED: "dim",
}


class Progress:
    """Give `changed` to the supervisor. While the block is open the table is live; after it, changes are lines.

    Lines go to `tell`, so that another display that is open then can take them in.
    """

    def __init__(self, console: Console, names: tuple[str, ...] = ()) -> None:
        self._console = console
        self._statuses = {name: Status(name) for name in names}
        self._began = time.monotonic()
        self._live: Live | None = None
        self._spinner = Spinner("dots")
        self._said: dict[str, tuple[State, str]] = {}
        self.tell: Callable[[str], None] = self.say

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=8)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
            self._live = None

    def changed(self, status: Status) -> None:
        """A process has changed."""
        before = self._statuses.get(status.name)
        self._statuses[status.name] = status
        if self._live is None and (before is None or before.state is not status.state):
            self.tell(self._line(status))

    def told(self, line: str) -> None:
        """Something happened that is of no process."""
        self.tell(f"{time.monotonic() - self._began:6.1f} s  {line}")

    def _line(self, status: Status) -> str:
        pid = f" (process {status.pid})" if status.state is State.READY else ""
        detail = f": {status.detail}" if status.detail else ""
        return f"{time.monotonic() - self._began:6.1f} s  {status.name:<12} {status.state}{pid}{detail}"

    def say(self, line: str) -> None:
        """Print a line."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for status in self._statuses.values():
            busy = status.state in (State.STARTING, State.RESTARTING)
            mark = self._spinner if busy else Text("✔" if status.state is State.READY else "·", STYLES[status.state])
            seconds = f"{time.monotonic() - status.since:.1f} s" if busy else ""
            table.add_row(mark, status.name, Text(status.state, STYLES[status.state]), seconds, escape(status.detail))
        return table
