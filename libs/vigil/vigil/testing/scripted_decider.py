"""Codec and interaction of every session, as far as a gateway knows them: frames come in; each turn is committed and
its decision stored, or the turn is dropped and told."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from vigil.contract import subjects
from vigil.contract.decision import StoredDecision, decision_to_pb
from vigil.contract.frames import FrameGroup, decode_group
from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.contract.subject_tokens import PREFIX, Kind
from vigil.contract.turn_dropped import DropReason, TurnDropped
from vigil.core.control import Action
from vigil.core.ids import SessionKey
from vigil.core.session import SessionState
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import StoreError
from vigil.runtime.session.dropped import tell_dropped
from vigil.runtime.store.sessions import Commit, SessionStore

_QUEUED = 1_000


class ScriptedDecider:
    """Says `script(jpeg)` of each group's newest picture; holds the decisions back for as long as `open_gate` is unset.

    `seen` has the model times that each session was shown, in the order of their arrival. While `drop` is set, turns
    are dropped for that reason. A turn takes nothing out of a session's inbox.
    """

    def __init__(self, bus: Bus, store: SessionStore, script: Callable[[bytes], str]) -> None:
        self.seen: dict[SessionKey, list[int]] = defaultdict(list)
        self.drop: DropReason | None = None
        self._store = store
        self.open_gate = asyncio.Event()
        self.open_gate.set()
        self._bus = bus
        self._script = script

    @asynccontextmanager
    async def working(self) -> AsyncIterator["ScriptedDecider"]:
        """Decide for as long as the block runs."""
        every = f"{PREFIX}.{{kind}}.*.*"
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
        if self.drop is not None:
            words = "the engine answered 500: it is on fire"
            dropped = TurnDropped(group.key, group.time_ms, newest.capture_time_us, self.drop, words)
            await tell_dropped(self._bus, dropped)
            return
        decision = StoredDecision(
            key=group.key,
            sequence=sequence,
            time_ms=group.time_ms,
            capture_time_us=newest.capture_time_us,
            emit_time_us=time.time_ns() // 1_000,
            action=Action.SPEAK,
            text=self._script(newest.jpeg),
        )
        with contextlib.suppress(StoreError):  # the session has ended meanwhile
            await self._store.take(group.key, 1)
            await self._store.commit(group.key, 1, Commit(SessionState(sequence + 1, group.time_ms)))
        payload = decision_to_pb(decision).SerializeToString()
        message_id = f"{group.key}.{group.time_ms}.{newest.capture_time_us}"
        await self._bus.publish_stored(Outgoing(subjects.decision(group.key), message_id, payload, PROTOBUF))
