"""How a module's process begins and ends: with its address on the command line, and quietly when it is told to."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from vigil_client.errors import ClientError

FAILED, USAGE = 1, 2
END_S = 2.0  # how long a look that runs in a thread may still take once the process is told to end
_CANCEL_AGAIN_S = 0.5


def address(arguments: Sequence[str] | None = None) -> str:
    """The address on the command line, by default the process's own: what `vigil modules add` printed, or @FILE for a
    file that holds it. It has a password in it, which a file keeps from whoever lists processes. Without one the
    process ends, and says how it is used."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if len(given) != 1 or given[0].startswith("-"):
        _say(
            f"usage: {Path(sys.argv[0]).name} ADDRESS\nADDRESS is what `vigil modules add NAME` printed; a file: @FILE"
        )
        raise SystemExit(0 if given in (["-h"], ["--help"]) else USAGE)
    if not given[0].startswith("@"):
        return given[0]
    try:
        return Path(given[0][1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{given[0][1:]} cannot be read: {error}") from None


def run(module: Coroutine[Any, Any, None]) -> int:
    """Run a module until Ctrl-C or SIGTERM, or until it fails; the exit status. What it fails with is said in words."""
    try:
        asyncio.run(_until_told(module))
    except ClientError as error:
        _say("\n".join((f"error: {error.message}", *([f"next: {error.next_step}"] if error.next_step else []))))
        return FAILED
    return 0


async def _until_told(module: Coroutine[Any, Any, None]) -> None:
    """Run it until it ends by itself or the process is told to end.

    It is cancelled again and again: before Python 3.12 a cancellation that comes just as NATS answers is lost.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    working, waiting = asyncio.ensure_future(module), asyncio.ensure_future(told.wait())
    await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if told.is_set():
        loop.call_later(END_S, _leave)  # a thread cannot be stopped, and the loop would wait for it
    while not working.done():
        working.cancel()
        await asyncio.wait({working}, timeout=_CANCEL_AGAIN_S)
    waiting.cancel()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(number)  # where a thread is waited for, the next signal ends the process
    if not working.cancelled():
        await working  # raises what it failed with


def _leave() -> None:
    """End the process as it is, with all that it has said."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
