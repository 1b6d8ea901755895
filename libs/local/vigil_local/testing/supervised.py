"""A whole supervisor as a process, for tests that kill it: `python -m vigil_local.testing.supervised DIR PORT PORT`.

Writes the state of its two processes to DIRECTORY/ready.json once they are healthy, and runs until it is stopped.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from vigil_local.supervisor import gates
from vigil_local.supervisor.supervisor import ProcessSpec, Supervisor

PROGRAMS = Path(__file__).with_name("programs.py")


def spec(name: str, port: int, *argv: str) -> ProcessSpec:
    """A test program that listens on `port`."""
    command = (sys.executable, "-I", str(PROGRAMS), *argv)
    return ProcessSpec(name, command, {}, gates.http(f"http://127.0.0.1:{port}/"), stop_grace_s=5.0)


async def run(directory: Path, first: int, second: int) -> None:
    """Supervise until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    marker = directory / "remove-me"
    specs = [
        spec("plain", first, "serve", str(first)),
        spec("family", second, "family", str(second), str(directory / "grandchild")),
    ]
    async with Supervisor(specs, directory / "logs", lambda _: None, remove=[marker]) as supervisor:
        await supervisor.ready()
        pids = {status.name: status.pid for status in supervisor.statuses}
        partial = directory / "ready.partial"
        partial.write_text(json.dumps(pids))
        partial.rename(directory / "ready.json")
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
