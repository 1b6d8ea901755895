"""Takes requests for blocks from the stream, has those written that are due first, and tells JetStream that it has the
others in hand.

A request comes at least once and its block is written once: the store takes a block of the same span once. The block
is written before it is told, and told before the message is acknowledged: a worker that dies in between leaves nothing
undone and nothing done twice.
"""

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.memory import failed_outgoing, ready_outgoing
from vigil.contract.memory import decode_memory, encode_memory
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import MEMORY_REQUESTS
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, MemoryRequest, RequestKind
from vigil.runtime.bus.consumer import Delivery, Terms
from vigil.runtime.bus.work_queue import AGAIN_S, WorkQueue, give_back
from vigil.runtime.errors import BusError, PortError, PublishRefused, SessionEnded, UnknownSession
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log, session_logs, source_logs
from vigil.runtime.process.trace import continued, current_traceparent
from vigil.runtime.store.refusals import refuse
from vigil_memory import metrics
from vigil_memory.backlog import Backlog, Entry, Limits, Place
from vigil_memory.endings import hear
from vigil_memory.ports import Ports
from vigil_memory.summarisers.port import SpanGone, SummariserError
from vigil_memory.writing import written

log = get_log()

DURABLE = "memory"
ORIGIN = "memory"
WINDOW = 10_000  # requests in the hands of all workers together
LATE = "nobody waits for this block any more"
Learn = Callable[[SessionKey, Block], None]
_REMEMBERED = 1_024  # messages that were over last
_STORE_AGAIN_S = 2.0


@dataclass(slots=True)
class _Held:
    """The message of a request in hand. It is replaced when it comes again."""

    delivery: Delivery


class MemoryWorker:
    """Has blocks written while `run` runs. `learn` is told of each new summary."""

    def __init__(self, ports: Ports, limits: Limits, learn: Learn | None = None) -> None:
        self._ports = ports
        self._learn = learn
        self._backlog: Backlog[_Held] = Backlog(limits)
        self._consumer = ports.bus.consume(
            MEMORY_REQUESTS, DURABLE, subjects.ALL_MEMORY_REQUESTS, Terms(ack_wait_s=ports.lease_s, window=WINDOW)
        )
        self._queue = WorkQueue(ports.bus, MEMORY_REQUESTS, ORIGIN, ports.lease_s, ports.now_us)
        self._jobs: dict[Place, asyncio.Task[None]] = {}
        self._acks: set[asyncio.Task[None]] = set()
        self._done: deque[int] = deque(maxlen=_REMEMBERED)
        self._changed = asyncio.Event()
        metrics.PLACES.set(limits.running)

    @property
    def has_consumer(self) -> bool:
        """Whether JetStream has the consumer of the stream."""
        return self._consumer.exists

    async def run(self) -> None:
        """Work until cancelled; then hand back what is in hand."""
        async with self._consumer as deliveries:
            try:
                await first_to_end(
                    self._queue.take_all(deliveries, self._take),
                    self._run_all(),
                    self._queue.hold_all(self._in_hand),
                    hear(self._ports.bus, self._ended),
                )
            finally:
                await self._hand_back()

    async def _take(self, delivery: Delivery) -> None:
        """Let a request wait until it runs. Raises `PortError` for what may pass."""
        try:
            request = decode_memory(delivery.payload)
        except InvalidMessage as error:
            await self._queue.put_aside(delivery, str(error))
            metrics.DEAD_LETTERS.inc()
            await delivery.ack()
            return
        known = self._backlog.find((request.key, request.id))
        if delivery.sequence in self._done:
            await delivery.ack()  # it came again while its end was told
        elif known is not None:
            await self._asked_again(known, request, delivery)
        else:
            await self._give_back(self._backlog.add(request, _Held(delivery)))
        self._changed.set()

    async def _asked_again(self, known: Entry[_Held], request: MemoryRequest, delivery: Delivery) -> None:
        """The message came again while it is in hand, or its session asked for the same block again: one is enough."""
        before = known.item.delivery
        known.item.delivery = delivery
        if before.sequence != delivery.sequence:
            self._backlog.renew(known, request, known.item)
            await before.ack()

    async def _run_all(self) -> NoReturn:
        while True:
            self._changed.clear()
            while (entry := self._backlog.next(self._ports.now_us())) is not None:
                job = asyncio.create_task(self._work(entry), name=f"block {entry.request.id}")
                self._jobs[entry.place] = job
            metrics.WAITING.set(self._backlog.waiting)
            metrics.RUNNING.set(self._backlog.running)
            wake_us = self._backlog.wake_us()
            pause_s = None if wake_us is None else max(0.0, (wake_us - self._ports.now_us()) / 1e6)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()

    async def _work(self, entry: Entry[_Held]) -> None:
        """One try of one request, in the trace of the turn that asked for it."""
        request = entry.request
        try:
            with continued(entry.item.delivery.headers), session_logs(request.key), source_logs(request.source_id):
                await self._try(entry)
        except Exception:  # whatever it is, it ends this try and not the worker; the message comes again
            log.exception("memory request failed", session=request.session, block=request.id)
            self._backlog.remove(entry.place)
        finally:
            self._jobs.pop(entry.place, None)
            self._changed.set()

    async def _try(self, entry: Entry[_Held]) -> None:
        request = entry.request
        try:
            if request.expires_us <= self._ports.now_us():
                await self._over(entry, "late", LATE)
                return
            block = await self._waiting_block(request)
            is_new = False
            if block is None:
                block = await written(self._ports, request)
                is_new = await self._ports.sessions.write_block(request.key, block)
                if is_new and self._learn is not None and request.kind is RequestKind.SUMMARY:
                    self._learn(request.key, block)
        except (UnknownSession, SessionEnded):
            await self._over(entry, "ended")
        except SpanGone as error:
            await self._over(entry, "gone", error.reason)
        except SummariserError as error:
            await self._failed(entry, error)
        except PortError as error:  # also a session with too many blocks that wait
            await self._defer(entry, _STORE_AGAIN_S, str(error))
        else:
            now_us = self._ports.now_us()
            metrics.MARGIN_SECONDS.observe((request.due_us - now_us) / 1e6)
            log.info("memory block written", block=block.id, chars=len(block.text), is_new=is_new)
            await self._until_stored(ready_outgoing(request, len(block.text), now_us, current_traceparent()))
            await self._over(entry, "ready" if is_new else "there")

    async def _waiting_block(self, request: MemoryRequest) -> Block | None:
        """The block, if it was written before and the session has not taken it yet. Raises `UnknownSession`,
        `SessionEnded`."""
        look = await self._ports.sessions.look(request.key)
        if look.ended is not None:
            refuse("ended", request.key)
        return next((block for block in look.waiting.blocks if block.id == request.id), None)

    async def _failed(self, entry: Entry[_Held], error: SummariserError) -> None:
        """Try again a little later; after the last try the message becomes a dead letter."""
        failures = entry.failures + 1
        is_last = not error.is_transient or failures > self._ports.retries
        log.warning("summariser failed", block=entry.request.id, reason=error.reason, tries=failures, is_last=is_last)
        if not is_last:
            delay_s = self._ports.backoff.delay_s(failures, random.random())
            await self._defer(entry, delay_s, failed=True)
            return
        await self._over(entry, "failed", error.reason)

    async def _defer(self, entry: Entry[_Held], delay_s: float, reason: str = "", *, failed: bool = False) -> None:
        if reason:
            log.warning("memory block delayed", block=entry.request.id, reason=reason)
        not_before_us = self._ports.now_us() + round(delay_s * 1e6)
        await self._give_back(self._backlog.defer(entry.place, not_before_us, failed=failed))

    async def _over(self, entry: Entry[_Held], outcome: str, reason: str = "") -> None:
        """Nothing more is done about the request. With a `reason` it failed, and that is told. Its dead letter is kept
        for longer than its session, so it has none of the session's words."""
        request, delivery = entry.request, entry.item.delivery
        if reason:
            await self._until_stored(failed_outgoing(request, reason, self._ports.now_us(), current_traceparent()))
        if outcome == "failed":
            await self._until_stored(self._queue.letter(delivery, reason, encode_memory(request.without_words())))
            metrics.DEAD_LETTERS.inc()
        metrics.REQUESTS.labels(request.kind, outcome).inc()
        self._done.append(delivery.sequence)
        self._backlog.remove(entry.place)
        await _acked(delivery)

    async def _until_stored(self, outgoing: Outgoing) -> None:
        """Store a message, however long NATS is away: before that the request cannot be acknowledged either."""
        while True:
            try:
                await self._ports.bus.publish_stored(outgoing)
            except PublishRefused as error:
                log.error("memory event refused", message_id=outgoing.message_id, reason=str(error))
                return
            except BusError as error:
                log.warning("memory event delayed", message_id=outgoing.message_id, reason=str(error))
                await asyncio.sleep(AGAIN_S)
            else:
                return

    def _ended(self, key: SessionKey) -> None:
        """The session is over: nobody reads its memory any more."""
        for entry in tuple(self._backlog):
            if entry.request.key == key:
                self._backlog.remove(entry.place)
                metrics.REQUESTS.labels(entry.request.kind, "ended").inc()
                if (job := self._jobs.get(entry.place)) is not None:
                    job.cancel()
                acking = asyncio.create_task(_acked(entry.item.delivery))
                self._acks.add(acking)
                acking.add_done_callback(self._acks.discard)
        self._changed.set()

    def _in_hand(self) -> Iterator[Delivery]:
        return (entry.item.delivery for entry in self._backlog)

    async def _hand_back(self) -> None:
        """Cancel what runs, and give what is in hand to the other workers."""
        jobs = (*self._jobs.values(), *self._acks)
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for entry in tuple(self._backlog):
            self._backlog.remove(entry.place)
            await self._give_back(entry)

    async def _give_back(self, entry: Entry[_Held] | None) -> None:
        if entry is not None:
            metrics.HANDED_BACK.inc()
            await give_back(entry.item.delivery, AGAIN_S)


async def _acked(delivery: Delivery) -> None:
    """Acknowledge a message. Where NATS is away it comes again and is over soon: the store has the block."""
    with contextlib.suppress(BusError):
        await delivery.ack()
