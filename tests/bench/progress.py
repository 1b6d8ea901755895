"""What a person sees while the benchmark runs, and how it waits."""

import asyncio
import sys
import time
from collections.abc import Callable

_POLL_S = 0.05
_SIGN_S = 10.0
_began = time.monotonic()


def say(text: str) -> None:
    """One line with the time since the start."""
    sys.stdout.write(f"[{time.monotonic() - _began:6.1f} s] {text}\n")
    sys.stdout.flush()


async def wait_until(condition: Callable[[], bool], deadline_s: float, what: str) -> None:
    """Wait for a condition. Raises `RuntimeError` that names `what` when the deadline passes."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {deadline_s:g} s: {what}")
        await asyncio.sleep(_POLL_S)


async def hold_until(condition: Callable[[], bool], at_most_s: float, what: str) -> bool:
    """Let the load run until the condition holds; whether it did within so many seconds. A sign of life every ten."""
    began = told = time.monotonic()
    say(f"{what}: at most {at_most_s:g} s")
    while not (held := condition()) and time.monotonic() - began < at_most_s:
        await asyncio.sleep(_POLL_S)
        if time.monotonic() - told > _SIGN_S:
            told = time.monotonic()
            say(f"  … {told - began:.0f} s")
    return held


async def hold(seconds: float, what: str) -> None:
    """Let the load run for a while, with a sign of life every ten seconds."""
    end = time.monotonic() + seconds
    say(f"{what}: {seconds:g} s")
    while (left := end - time.monotonic()) > 0:
        await asyncio.sleep(min(left, _SIGN_S))
        if left > 2 * _SIGN_S:
            say(f"  … {left - _SIGN_S:.0f} s to go")
