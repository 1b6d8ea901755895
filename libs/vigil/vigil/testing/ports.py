"""Free TCP ports for tests that run side by side: no two processes are ever given the same one.

Between the moment a port is found free and the moment a server listens on it, another process may find it free, too; a
server that answers there then is taken for one's own. So each process takes a block of ports for itself, for as long as
it lives: the block's file is locked.
"""

import contextlib
import fcntl
import os
import socket
import tempfile
from pathlib import Path

# Below those that the system gives to outgoing connections: one of these cannot take a port before a server does.
_FIRST, _LAST = 20_000, 32_000
_BLOCK_PORTS = 200


class _Block:
    """Ports that belong to this process until it ends, given out in a circle."""

    def __init__(self, first: int, lock: int) -> None:
        self.pid = os.getpid()
        self._ports = range(first, first + _BLOCK_PORTS)
        self._lock = lock  # the operating system lets go of it when the process ends, however that happens
        self._next = 0

    def take(self, count: int) -> int | None:
        """The first of `count` ports in a row that nobody listens on, or None when the whole block has none."""
        for _ in self._ports:
            at = self._next if self._next + count <= _BLOCK_PORTS else 0
            found = self._ports[at]
            if all(_is_free(port) for port in self._ports[at : at + count]):
                self._next = at + count
                return found
            self._next = at + 1
        return None


_blocks: list[_Block] = []


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on, and that no other process is given."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of `count` such ports in a row. Raises `RuntimeError` when there are none left."""
    if count > _BLOCK_PORTS:
        raise RuntimeError(f"{count} free ports in a row are more than the {_BLOCK_PORTS} that a process has at once")
    _blocks[:] = [block for block in _blocks if block.pid == os.getpid()]  # those of a parent that forked stay its own
    for block in _blocks:
        found = block.take(count)
        if found is not None:
            return found
    _blocks.append(_lock_a_block())
    return free_ports(count)


def _lock_a_block() -> _Block:
    folder = Path(tempfile.gettempdir()) / f"vigil-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for first in range(_FIRST, _LAST, _BLOCK_PORTS):
        lock = os.open(folder / str(first), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return _Block(first, lock)
    raise RuntimeError(f"all ports from {_FIRST} to {_LAST} belong to other processes: end tests that still run")


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
