"""Codec and interaction of every session, as far as a gateway knows them: frames come in, decisions go out."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decision_to_pb
from vigil.contract.frames import FrameGroup, decode_group
from vigil.contract.subjects import Kind
from vigil.core.control import Action
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus

_QUEUED = 1_000


class ScriptedDecider:
    """Says `script(jpeg)` of each group's newest picture; holds the decisions back for as long as `open_gate` is unset.

    `seen` has the model times that each session was shown, in the order of their arrival.
    """

    def __init__(self, bus: Bus, script: Callable[[bytes], str]) -> None:
        self.seen: dict[SessionKey, list[int]] = defaultdict(list)
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self._bus = bus
        self._script = script

    @asynccontextmanager
    async def working(self) -> AsyncIterator["ScriptedDecider"]:
        """Decide for as long as the block runs."""
        every = f"{subjects.PREFIX}.{{kind}}.*.*"
        async with (
            self._bus.subscribe(every.format(kind=Kind.CODED_FRAMES), capacity=1),  # a gateway asks who listens
            self._bus.subscribe(every.format(kind=Kind.RAW_FRAMES), capacity=_QUEUED) as groups,
            asyncio.TaskGroup() as tasks,
        ):

            async def work() -> None:
                async for message in groups:
                    group = decode_group(message.payload)
                    self.seen[group.key].append(group.time_ms)
                    tasks.create_task(self._decide(group, len(self.seen[group.key]) - 1))

            working = tasks.create_task(work())
            try:
                yield self
            finally:
                working.cancel()
                self.open_gate.set()

    async def _decide(self, group: FrameGroup, sequence: int) -> None:
        await self.open_gate.wait()
        newest = group.frames[-1]
        decision = StoredDecision(
            key=group.key,
            sequence=sequence,
            time_ms=group.time_ms,
            capture_time_us=newest.capture_time_us,
            emit_time_us=time.time_ns() // 1_000,
            action=Action.SPEAK,
            text=self._script(newest.jpeg),
        )
        await self._bus.publish(subjects.decision(group.key), decision_to_pb(decision).SerializeToString())
