"""Takes tasks from the stream, lets the most urgent ones run, and tells JetStream that it has the others in hand.

A task comes at least once and is done once: the store knows how far each is (`vigil.runtime.store.tasks`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.delegation import decode_task
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.tasks import TaskNews, news_outgoing
from vigil.contract.streams import TASKS
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.ids import SessionKey
from vigil.core.task import TaskRequest, TaskState
from vigil.runtime.bus.consumer import Delivery, Terms
from vigil.runtime.bus.work_queue import AGAIN_S, WorkQueue, give_back
from vigil.runtime.errors import PortError, SessionEnded, UnknownSession
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log, session_logs, source_logs
from vigil.runtime.process.trace import continued
from vigil.runtime.store.tasks import OVER
from vigil_brain import metrics
from vigil_brain.attempt import Attempt
from vigil_brain.backlog import Backlog, Entry, Limits, Verdict
from vigil_brain.outcome import LATE, failed, withdrawn
from vigil_brain.ports import Ports
from vigil_brain.withdrawals import hear

log = get_log()

DURABLE = "brain"
ORIGIN = "brain"
WINDOW = 10_000  # tasks in the hands of all workers together

Work = Callable[[], Awaitable[None]]

_REFUSALS = {
    Verdict.TENANT_FULL: "too many questions of this tenant wait for an answer already: ask again later",
    Verdict.SESSION_FULL: "too many questions of this session wait for an answer already: ask again later",
}


class TaskWorker:
    """Works on tasks while `run` runs."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        self._ports = ports
        self._backlog: Backlog[Attempt] = Backlog(limits)
        self._consumer = ports.bus.consume(
            TASKS, DURABLE, subjects.ALL_TASKS, Terms(ack_wait_s=ports.lease_s, window=WINDOW)
        )
        self._queue = WorkQueue(ports.bus, TASKS, ORIGIN, ports.lease_s, ports.now_us)
        self._jobs: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        metrics.PLACES.set(limits.running)

    @property
    def has_consumer(self) -> bool:
        """Whether JetStream has the consumer of the stream."""
        return self._consumer.exists

    @property
    def limits(self) -> Limits:
        """How much may wait and run here."""
        return self._backlog.limits

    def __iter__(self) -> Iterator[Entry[Attempt]]:
        """The tasks in hand: what runs, then what waits, the most urgent first."""
        return iter(self._backlog)

    def is_running(self, request: TaskRequest) -> bool:
        """Whether a task in hand runs."""
        return self._backlog.is_running(request.key, request.task)

    async def run(self) -> None:
        """Work until cancelled; then hand back what is in hand."""
        async with self._consumer as deliveries:
            try:
                await first_to_end(
                    self._queue.take_all(deliveries, self._take),
                    self._run_all(),
                    self._queue.hold_all(self._in_hand),
                    hear(self._ports.bus, self.withdraw),
                )
            finally:
                await self._hand_back()

    def withdraw(self, key: SessionKey, task: str | None, reason: str) -> None:
        """Nobody wants the answer of this task of a session, or of all of them (None)."""
        for entry in self._backlog.of(key):
            if task is None or entry.request.task == task:
                entry.item.withdraw(reason)
                if not self.is_running(entry.request):
                    self._backlog.remove(key, entry.request.task)
                    self._start(partial(entry.item.refuse, withdrawn(reason)), entry)

    async def _take(self, delivery: Delivery) -> None:
        """Let a task wait for its turn. Raises `PortError` for what may pass."""
        try:
            request = decode_task(delivery.payload)
        except InvalidMessage as error:
            await self._dead_letter(delivery, str(error))
            return
        if (known := self._backlog.find(request.key, request.task)) is not None:
            known.item.delivery = delivery  # it came again while it is in hand
            return
        attempt = Attempt(self._ports, request, delivery)
        try:
            state = await self._ports.tasks.queued(request)
        except (SessionEnded, UnknownSession):
            await self._tell_over(request)
            await delivery.ack()
            return
        if state.is_final:
            await attempt.retell()
        elif request.expires_us <= self._ports.now_us():
            await attempt.refuse(failed(LATE))
        else:
            await self._add(request, attempt)

    async def _add(self, request: TaskRequest, attempt: Attempt) -> None:
        added = self._backlog.add(request, attempt)
        if added.verdict is not Verdict.WAITS:
            metrics.TASKS.labels("refused").inc()
            log.warning("task refused", task=request.task, session=request.session, reason=added.verdict)
            await attempt.refuse(failed(_REFUSALS[added.verdict]))
        if added.displaced is not None:
            metrics.HANDED_BACK.inc()
            await added.displaced.item.delivery.retry(AGAIN_S)
        self._changed.set()

    async def _run_all(self) -> NoReturn:
        while True:
            self._changed.clear()
            while (entry := self._backlog.next()) is not None:
                self._start(entry.item.run, entry)
            metrics.WAITING.set(self._backlog.waiting)
            metrics.RUNNING.set(self._backlog.running)
            await self._changed.wait()

    def _start(self, work: Work, entry: Entry[Attempt]) -> None:
        job = asyncio.create_task(self._work(work, entry), name=f"task {entry.request.task}")
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def _work(self, work: Work, entry: Entry[Attempt]) -> None:
        """One task to its end, in the trace of the turn that delegated it. What fails comes again with its message."""
        request, delivery = entry.request, entry.item.delivery
        try:
            with continued(delivery.headers), session_logs(request.key), source_logs(request.source_id):
                await work()
        except PortError as error:
            log.warning("task left", task=request.task, session=request.session, reason=str(error))
        except Exception:  # whatever it is, it ends this task and not the worker; the message comes again
            log.exception("task failed", task=request.task, session=request.session)
        finally:
            self._backlog.remove(request.key, request.task)
            self._changed.set()

    def _in_hand(self) -> Iterator[Delivery]:
        return (entry.item.delivery for entry in self._backlog)

    async def _hand_back(self) -> None:
        """Cancel what runs, and give what waits to the other workers."""
        jobs = tuple(self._jobs)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for entry in tuple(self._backlog):
            self._backlog.remove(entry.request.key, entry.request.task)
            metrics.HANDED_BACK.inc()
            await give_back(entry.item.delivery, 0.0)

    async def _tell_over(self, request: TaskRequest) -> None:
        """The session ended before a worker came to its question."""
        news = TaskNews(DelegationEvent.CANCELLED, TaskState.CANCELLED, self._ports.now_us(), text=OVER)
        await self._ports.bus.publish_stored(news_outgoing(request, news))
        metrics.TASKS.labels(TaskState.CANCELLED).inc()

    async def _dead_letter(self, delivery: Delivery, why: str) -> None:
        await self._queue.put_aside(delivery, why)
        metrics.DEAD_LETTERS.inc()
        await delivery.ack()
