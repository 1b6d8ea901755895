"""The loop of every module here that looks at pictures, and how a process begins and ends."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from finding import Finding
from kept import Kept

from vigil_client import modules
from vigil_client.modules import Frame, Module

# Looks at a session's next picture. It may take its time: it is called in a thread, never twice at once.
Look: TypeAlias = Callable[[Frame], Sequence[Finding]]

SECOND_US = 1_000_000


async def look_on(module: Module, kind: str, look: Look, *, every_s: float = 0.0) -> None:
    """Look at the pictures of every session of the tenant and tell what is found, for ever.

    Of each session a picture is looked at every `every_s` at most. One that cannot be read is left out, and said.
    """
    looked_us = Kept[int]()
    async for frame in module.frames():
        if frame.capture_time_us - looked_us.get(frame.session, -SECOND_US * 3_600) < every_s * SECOND_US:
            continue
        looked_us.put(frame.session, frame.capture_time_us)
        try:
            findings = await asyncio.to_thread(look, frame)
        except OSError as error:
            say(f"a picture of {frame.session} was left out: {error}")
            continue
        for found in findings:
            await module.observe(frame, kind=kind, text=found.text, confidence=found.confidence, box=found.box)


def add_address(parser: argparse.ArgumentParser) -> None:
    """The options by which every module finds its Vigil."""
    parser.add_argument("address", help="what `vigil modules add` printed, or @FILE for a file that holds it")
    parser.add_argument("--ca-file", default="", help="PEM file of the authorities behind a tls:// address")


def address_of(options: argparse.Namespace) -> str:
    """The address that was given. It has a password in it, which a file keeps from whoever lists processes."""
    given: str = options.address
    return text_of(Path(given[1:])).strip() if given.startswith("@") else given


def text_of(path: Path) -> str:
    """A file's text; ends the process with words when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None


def run(module: Coroutine[Any, Any, None]) -> int:
    """Run a module until Ctrl-C or SIGTERM, or until it fails; the exit status."""
    status = modules.run(module)
    if not status:
        say("ended")
    return status


def say(words: str) -> None:
    """Tell whoever watches the process."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()
