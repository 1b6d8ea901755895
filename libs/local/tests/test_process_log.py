"""A process's log: bounded, its owner's alone, and never a reason to fail."""

import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vigil_local.supervisor.process_log import TAIL_LINES, ProcessLog


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process can grow beyond `size` bytes: a write then fails as on a full disk."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_read_it_also_one_of_an_earlier_version(tmp_path: Path) -> None:
    old = tmp_path / "old.log"
    old.write_text("before\n")
    old.chmod(0o644)
    for path in (old, tmp_path / "new.log"):
        log = ProcessLog(path)
        log.write("a line")
        log.close()
        assert mode(path) == 0o600
    assert old.read_text() == "before\na line\n"


def test_it_is_bounded_and_keeps_the_last_files(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "web.log", max_bytes=100, files=3)
    for number in range(40):
        log.write(f"line {number:04}")
    log.close()
    files = sorted(tmp_path.iterdir())
    assert [path.name for path in files] == ["web.log", "web.log.1", "web.log.2"]
    assert all(path.stat().st_size <= 100 and mode(path) == 0o600 for path in files)
    kept = "".join(path.read_text() for path in reversed(files)).splitlines()
    assert kept == [f"line {number:04}" for number in range(40 - len(kept), 40)]
    assert list(log.tail) == [f"line {number:04}" for number in range(40 - TAIL_LINES, 40)]


def test_a_full_disk_costs_lines_which_it_counts_and_then_says(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "web.log")
    log.write("before")
    with files_of_at_most(10):
        for number in range(3):
            log.write(f"line {number}")
        assert log.lost == 3
        assert (tmp_path / "web.log").read_text() == "before\n", "no half of a line"
    assert list(log.tail) == ["before", "line 0", "line 1", "line 2"]
    log.write("after")
    log.write("more")
    assert log.lost == 0
    assert (tmp_path / "web.log").read_text() == "before\n[3 lines could not be written here]\nafter\nmore\n"


def test_a_folder_that_is_gone_costs_lines_too(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "logs" / "web.log")
    log.write("a line")
    assert (log.lost, list(log.tail)) == (1, ["a line"])
    (tmp_path / "logs").mkdir()
    log.write("another")
    assert (tmp_path / "logs" / "web.log").read_text() == "[1 lines could not be written here]\nanother\n"


def test_a_line_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    log = ProcessLog(tmp_path / "web.log")
    log.write("\ud83d")
    assert (tmp_path / "web.log").read_text() == "?\n"
