"""Test support: waiting for a condition with a deadline, and looking at processes."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROGRAMS = Path(__file__).with_name("programs.py")
DEADLINE_S = 20.0


async def eventually(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Return once `condition` holds; fail, naming `what` was waited for, when it does not in time."""
    until = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < until, f"not within {deadline_s} s: {what}"
        await asyncio.sleep(0.01)


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
