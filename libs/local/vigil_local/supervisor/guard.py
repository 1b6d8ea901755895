"""Kills what a dead supervisor left behind. Runs alone, on the standard library, as its own process.

The parent-death signal reaches the processes that the supervisor started, but not what those started (an engine's
workers). So the supervisor tells this process each process group it makes (`+PGID`) and has ended (`-PGID`) over a
pipe. When the pipe closes, the supervisor is gone, however it went: every group still listed is killed and the paths
given as arguments are removed.

A group is first asked to end: the helper by which Python programs give shared memory back outlives them for a moment.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable

GRACE_S = 3.0
POLL_S = 0.05


def groups_left(lines: Iterable[str]) -> set[int]:
    """The process groups that were added and not taken away again once `lines` end."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def signal_groups(groups: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to every process of the groups; those that are gone already do not matter."""
    for group in groups:
        try:
            os.killpg(group, number)
        except ProcessLookupError:
            continue


def living(groups: Iterable[int]) -> bool:
    """Whether any process of the groups still runs; one that has ended and waits to be reaped does not."""
    wanted = set(groups)
    return any(_group(entry) in wanted for entry in os.listdir("/proc") if entry.isdigit())


def end_groups(groups: Iterable[int]) -> None:
    """Ask the groups to end, then kill what is left of them."""
    listed = list(groups)
    signal_groups(listed, signal.SIGTERM)
    until = time.monotonic() + GRACE_S
    while living(listed) and time.monotonic() < until:
        time.sleep(POLL_S)
    signal_groups(listed, signal.SIGKILL)


def _group(pid: str) -> int:
    """The process group of a process; -1 for one that has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            state, _parent, group = file.read().rpartition(")")[2].split()[:3]
    except OSError:
        return -1
    return -1 if state in "ZX" else int(group)


def remove(path: str) -> None:
    """Remove a file or a directory, if it is there."""
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.exists(path):
        os.unlink(path)


def main() -> None:
    """Read until the supervisor is gone, then clean up after it."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end_groups(groups_left(sys.stdin))
    for path in sys.argv[1:]:
        remove(path)


if __name__ == "__main__":
    main()
