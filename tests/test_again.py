"""The second run of what has failed: what it runs, what it says, and what it never makes good."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AGAIN = Path(__file__).with_name("again.py")
ACCIDENT = """
from pathlib import Path
import pytest

def test_of_time():
    seen = Path("seen")
    was_seen = seen.exists()
    seen.touch()
    assert was_seen

@pytest.mark.parametrize("name", ["a b", "[c]"])
def test_that_passes(name):
    pass
"""
FAULT = "def test_of_fault():\n    assert False\n"


def run(folder: Path, *command: str) -> tuple[int, str]:
    plain = {"PATH": os.defpath, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # which starts sooner
    done = subprocess.run([sys.executable, *command], cwd=folder, env=plain, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def run_twice(folder: Path, **files: str) -> tuple[int, int, str]:
    """The status of the first run, and of the second with what it said."""
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    first, _ = run(folder, "-m", "pytest", "-q", "-o", "cache_dir=failed/all")
    return first, *run(folder, str(AGAIN), "failed", str(first))


def test_nothing_is_run_again_after_a_run_that_passed(tmp_path: Path) -> None:
    assert run_twice(tmp_path, passes="def test_one():\n    pass\n") == (0, 0, "")


def test_a_test_that_passes_alone_is_named_at_the_end(tmp_path: Path) -> None:
    first, second, said = run_twice(tmp_path, accident=ACCIDENT)
    assert (first, second) == (1, 0)
    assert "1 passed" in said, "those that had passed are not run again"
    assert "passed alone, after they had failed in the run:\n      test_accident.py::test_of_time\n" in said


def test_a_fault_fails_again(tmp_path: Path) -> None:
    first, second, said = run_twice(tmp_path, accident=ACCIDENT, fault=FAULT)
    assert (first, second) == (1, 1)
    assert "1 failed, 1 passed" in said
    assert "passed alone" not in said


def test_failures_in_many_files_are_no_accidents(tmp_path: Path) -> None:
    first, second, said = run_twice(tmp_path, **{f"fault_{number}": FAULT for number in range(11)})
    assert (first, second) == (1, 1)
    assert said == "==> tests of 11 files failed: these are no accidents, so none is run again\n"


@pytest.mark.parametrize("status", ["2", "3", "4"])
def test_a_run_that_was_broken_off_is_not_made_good(tmp_path: Path, status: str) -> None:
    run_twice(tmp_path, accident=ACCIDENT)
    assert run(tmp_path, str(AGAIN), "failed", status) == (int(status), "")
