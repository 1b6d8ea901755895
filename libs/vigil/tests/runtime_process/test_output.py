"""Standard output that is full or closed ends no process and brings no traceback."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vigil.runtime.process.output import UnfailingOutput

FULL = Path("/dev/full")  # every write to it says that no space is left
LOGS = """
import sys
from vigil.runtime.process import metrics
from vigil.runtime.process.logs import configure_logs, get_log
configure_logs("codec", "info")
for number in range(3):
    get_log().info("frame coded", number=number, text="\\ud83d")
sys.stderr.write(f"lost {metrics.LOG_LINES_LOST._value.get():g}")
"""


def lost_by(write: Callable[[UnfailingOutput], object], descriptor: int) -> int:
    lost: list[int] = []
    write(UnfailingOutput(descriptor, lambda: lost.append(1)))
    return len(lost)


def test_a_full_disk_loses_the_text_and_counts_it() -> None:
    with FULL.open("wb") as full:
        assert lost_by(lambda output: output.write("a line\n"), full.fileno()) == 1


def test_a_closed_pipe_loses_the_text_and_counts_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert lost_by(lambda output: print("a line", file=output), writing) >= 1
    os.close(writing)


def test_a_closed_descriptor_loses_the_text_and_counts_it() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    assert lost_by(lambda output: output.write("x"), writing) == 1


def test_what_can_be_written_is_written_at_once_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with path.open("wb") as file:
        output = UnfailingOutput(file.fileno())
        assert output.write("ä \ud83d\n" * 30_000) == 120_000
        assert path.read_bytes() == b"\xc3\xa4 \\ud83d\n" * 30_000
        assert not output.isatty()
        assert output.fileno() == file.fileno()


@pytest.mark.parametrize("place", ["full", "closed", "open"])
def test_a_process_logs_into_nothing_and_ends_well(place: str) -> None:
    reading, closed = os.pipe()
    with FULL.open("wb") as full:
        os.close(reading)
        stdout = {"full": full.fileno(), "closed": closed, "open": subprocess.PIPE}[place]
        ended = subprocess.run(
            [sys.executable, "-c", LOGS], stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False
        )
    os.close(closed)
    assert (ended.returncode, ended.stderr) == (0, b"lost 0" if place == "open" else b"lost 3")
    if place == "open":
        assert ended.stdout.count(b"frame coded") == 3
