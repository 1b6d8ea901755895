"""Test support: the test programs as processes, and whether a process runs."""

import os
import sys
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs.py")


def runs(pid: int) -> bool:
    """Whether that process exists and is no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def program(*arguments: object) -> tuple[str, ...]:
    """The command line of one of the test programs."""
    return (sys.executable, "-I", str(PROGRAMS), *map(str, arguments))


def environment() -> dict[str, str]:
    """What the test programs need to run."""
    return {"PATH": os.defpath}
