"""How the start of the processes is shown: a table on a terminal, a line for each change anywhere else."""

import io
import re

import pytest
from rich.console import Console

from vigil_local.commands.progress import STYLES, Progress
from vigil_local.supervisor.supervisor import State, Status


def plain() -> tuple[Progress, io.StringIO]:
    file = io.StringIO()
    return Progress(Console(file=file, width=120)), file


def test_a_change_of_state_is_a_line() -> None:
    progress, file = plain()
    with progress:
        progress.changed(Status("nats", State.STARTING, pid=7))
        progress.changed(Status("nats", State.STARTING, "not listening yet", pid=7))  # the same state: no line
        progress.changed(Status("nats", State.READY, pid=7))
        progress.changed(Status("nats", State.RESTARTING, "killed by signal 9; starting again in 0.2 s", pid=7))
    lines = [re.sub(r"^ +\d+\.\d s  ", "", line) for line in file.getvalue().splitlines()]
    assert lines == [
        "nats         starting",
        "nats         ready (process 7)",
        "nats         restarting: killed by signal 9; starting again in 0.2 s",
    ]


def test_markup_in_a_reason_is_text() -> None:
    progress, file = plain()
    progress.changed(Status("engine", State.STARTING, "[red]no model[/]"))
    assert "[red]no model[/]" in file.getvalue()


def test_another_display_can_take_the_lines_in() -> None:
    progress, file = plain()
    told: list[str] = []
    progress.tell = told.append
    progress.changed(Status("codec", State.READY, pid=3))
    assert file.getvalue() == ""
    assert told[0].endswith("codec        ready (process 3)")


@pytest.mark.parametrize("state", State)
def test_every_state_is_shown_on_a_terminal(state: State) -> None:
    file = io.StringIO()
    progress = Progress(Console(file=file, width=100, force_terminal=True, color_system=None), ("redis", "nats"))
    with progress:
        progress.changed(Status("nats", state, "why it is so"))
    shown = file.getvalue()
    assert state in STYLES
    for part in ("redis", "waiting", "nats", state, "why it is so"):
        assert part in shown
