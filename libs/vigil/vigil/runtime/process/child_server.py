"""A server that is a child of this process and runs in an environment of its own: its libraries, its weights and its
crashes stay outside.

The program serves on a free port of this host, and asks for a key that it has made: other users of the host reach that
port, too. It writes one line, `{"url": …, "key": …}`, when it is ready, and ends when its standard input is closed: so
it never outlives this process, however that ended.
"""

import asyncio
import json
import os
from contextlib import suppress
from dataclasses import dataclass, field

from vigil.runtime.process.cancellation import to_the_end


class ChildServerFailed(Exception):
    """The program ended, was not ready in time, or wrote another line."""


@dataclass(frozen=True, slots=True)
class ChildServer:
    """A running server: the root of its API, and the key that it asks for. End it with `end`."""

    url: str
    key: str = field(repr=False)
    process: asyncio.subprocess.Process = field(repr=False)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended, as far as is known."""
        return self.process.returncode is None

    async def wait(self) -> int:
        """Wait until it has ended; returns its exit status."""
        return await self.process.wait()

    async def end(self) -> None:
        """End it at once."""
        await _end(self.process)


async def start_child_server(command: tuple[str, ...], start_s: float) -> ChildServer:
    """Start the program and wait until it is ready, `start_s` at most. It gets none of this process's environment: that
    holds passwords. Raises `ChildServerFailed`; then, and when this is cancelled, the program is ended."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=pipe,
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.defpath},
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(start_s):
            line = await process.stdout.readline() if process.stdout is not None else b""
        said = json.loads(line)
        return ChildServer(str(said["url"]), str(said["key"]), process)
    except (ValueError, KeyError, TypeError, TimeoutError) as error:
        await _end(process)
        raise ChildServerFailed(f"{command[0]} did not say where it serves: {error!r}") from None
    except BaseException:
        await _end(process)
        raise


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await to_the_end(process.wait())
