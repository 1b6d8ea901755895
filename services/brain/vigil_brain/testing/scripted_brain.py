"""A brain that plays a script, for tests of what stands around brains."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from vigil_brain.brains.port import Answer, BrainTask, Told

Play = Callable[[BrainTask, Told], Awaitable[Answer]]


async def rose(task: BrainTask, told: Told) -> Answer:
    """Answer at once."""
    return Answer("A rose.")


async def hangs(task: BrainTask, told: Told) -> Answer:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


@dataclass(slots=True)
class ScriptedBrain:
    """A brain that plays `play`, and remembers what it was asked and what it was stopped in."""

    play: Play = rose
    asked: list[BrainTask] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        """See `Brain`."""
        self.asked.append(task)
        try:
            return await self.play(task, told)
        except asyncio.CancelledError:
            self.stopped.append(task.id)
            raise
