"""A slow way to a server: what clients send arrives there later, all of it and in its order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vigil.runtime.process.cancellation import first_to_end

_CHUNK_BYTES = 64 * 1024


@dataclass(slots=True)
class SlowLink:
    """Connect to `port`. What is read from clients from now on arrives `delay_s` later; answers come at once."""

    port: int
    delay_s: float = 0.0


@asynccontextmanager
async def slow_link(port: int) -> AsyncIterator[SlowLink]:
    """A way to `port` of this machine, for as long as the block runs."""
    passing: set[asyncio.Task[None]] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        passing.add(task)
        task.add_done_callback(passing.discard)
        with contextlib.suppress(asyncio.CancelledError):  # the block is left; asyncio calls it an error of its own
            async with contextlib.AsyncExitStack() as stack:
                stack.push_async_callback(_close, writer)
                behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", port)
                stack.push_async_callback(_close, behind_writer)
                delayed: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
                await first_to_end(
                    _take(reader, delayed, link), _give(delayed, behind_writer), _answer(behind_reader, writer)
                )

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    link = SlowLink(int(server.sockets[0].getsockname()[1]))
    try:
        yield link
    finally:
        server.close()
        for task in tuple(passing):
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _take(reader: asyncio.StreamReader, delayed: asyncio.Queue[tuple[float, bytes]], link: SlowLink) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            delayed.put_nowait((asyncio.get_running_loop().time() + link.delay_s, data))


async def _give(delayed: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while True:
            due_s, data = await delayed.get()
            await asyncio.sleep(due_s - asyncio.get_running_loop().time())
            writer.write(data)
            await writer.drain()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
