"""A task's updates, live: first the task as it is, then its alerts as they open, change and close, and its states."""

import asyncio
from collections.abc import AsyncGenerator

from a2a.types.a2a_pb2 import Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent

from vigil.contract.api_keys import ApiKey
from vigil.contract.events.envelope import decode_event
from vigil.core.ids import SessionKey
from vigil.runtime.errors import SessionEnded, StoreError, UnknownSession
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.agent_tasks import AgentTask
from vigil_gateway.agent.a2a.alerts import alerts_of
from vigil_gateway.agent.a2a.shown import alert_event, is_of, state_event, task_shown
from vigil_gateway.agent.a2a.state import State, state_of
from vigil_gateway.live.events import LINGER_S, listening
from vigil_gateway.live.feed import EventKind, LiveEvent
from vigil_gateway.live.outflow import drained, withdrawn
from vigil_gateway.ports import Ports

log = get_log()

Update = Task | TaskStatusUpdateEvent | TaskArtifactUpdateEvent
_OVER = "the task is over"
_CHANGED = "the task has its watch"


async def updates(ports: Ports, holder: ApiKey, task: AgentTask) -> AsyncGenerator[Update]:
    """Every update until the task is over, this gateway stops, or the key holds no longer. Raises `TooManyStreams` and
    what the ports raise before the first update."""
    outlet: asyncio.Queue[Update | Exception | None] = asyncio.Queue(maxsize=1)
    writing = asyncio.create_task(_TaskUpdates(ports, holder, task, outlet).write(), name=f"updates of {task.id}")
    try:
        while (update := await outlet.get()) is not None:
            if isinstance(update, Exception):
                raise update
            yield update
    finally:
        writing.cancel()
        await asyncio.wait({writing})


class _TaskUpdates:
    """Writes one client's updates of one task. What is opened is closed by the same asyncio task."""

    def __init__(
        self, ports: Ports, holder: ApiKey, task: AgentTask, outlet: asyncio.Queue[Update | Exception | None]
    ) -> None:
        self._ports = ports
        self._holder = holder
        self._task = task
        self._outlet = outlet
        self._last: State | None = None

    async def write(self) -> None:
        try:
            await self._write()
        except Exception as error:  # noqa: BLE001  whatever it is, the client is told by whoever reads the outlet
            await self._outlet.put(error)
        await self._outlet.put(None)

    async def _write(self) -> None:
        if not self._task.session and not await self._has_begun():
            return
        try:
            spec = await self._ports.store.spec(SessionKey(self._task.tenant, self._task.session))
            async with listening(self._ports, spec) as events:
                if self._last is None:
                    await self._tell_task()
                await events.run(self._send, withdrawn(self._ports, self._holder), self._follow_state())
        except (SessionEnded, UnknownSession):  # it ended a moment ago
            if self._last is None:
                await self._tell_task()
        await self._tell_state(await state_of(self._ports, self._task))

    async def _has_begun(self) -> bool:
        """Tell the task, and wait until it watches; False when there is nothing to wait for any more."""
        with self._ports.streams.slot(self._task.tenant):
            await self._tell_task()
            reason = await first_to_end(
                drained(self._ports), withdrawn(self._ports, self._holder), self._follow_state(), self._watched()
            )
        if reason == _OVER:
            await self._tell_state(await state_of(self._ports, self._task))
        return reason == _CHANGED

    async def _watched(self) -> str:
        while True:
            await asyncio.sleep(self._ports.settings.status_interval_s)
            await self._refresh()
            if self._task.session:
                return _CHANGED

    async def _follow_state(self) -> str:
        """Tell each change of the task's state; returns once it is over, when its last alerts have had their time."""
        while True:
            await asyncio.sleep(self._ports.settings.status_interval_s)
            try:
                await self._refresh()
                now = await state_of(self._ports, self._task)
            except StoreError as error:
                log.warning("task not read", task=self._task.id, reason=str(error))
                continue
            if now.is_over:
                await asyncio.sleep(LINGER_S)
                return _OVER
            await self._tell_state(now)

    async def _refresh(self) -> None:
        self._task = await self._ports.agent_tasks.get(self._task.tenant, self._task.id) or self._task

    async def _tell_task(self) -> None:
        self._last = await state_of(self._ports, self._task)
        await self._outlet.put(task_shown(self._task, self._last, await alerts_of(self._ports, self._task)))

    async def _tell_state(self, now: State) -> None:
        if self._last is None or (now.state, now.words) != (self._last.state, self._last.words):
            self._last = now
            await self._outlet.put(state_event(self._task, now))

    async def _send(self, live_event: LiveEvent | None) -> None:
        if live_event is None or live_event.kind is not EventKind.ALERT:
            return
        alert = decode_event(live_event.data)
        if is_of(self._task, alert):
            await self._outlet.put(alert_event(self._task, alert))
