"""Delivers one kind of events to one endpoint: read, filter, post, and dead-letter what cannot be delivered.

Each endpoint has a durable consumer of its own, so a slow endpoint holds up no other. An event is acknowledged once it
is delivered or dead-lettered; until then it waits here (`vigil_webhook.backlog`), at most `WINDOW` of them, and a
bridge that dies forgets none.
"""

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from opentelemetry.trace import StatusCode

from vigil.contract import spans, streams, subjects
from vigil.contract.dead_letters import DeadLetter, dead_letter_outgoing
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.streams import StreamSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.consumer import Consumer, Delivery, Terms
from vigil.runtime.errors import BusError
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import TRACEPARENT, AttributeValue, continued, span
from vigil_webhook import metrics
from vigil_webhook.backlog import Backlog
from vigil_webhook.endpoints import Endpoint
from vigil_webhook.provenance import MESSAGE_ID, why_foreign
from vigil_webhook.sender import Sender
from vigil_webhook.verdict import Fate, Patience, Verdict

log = get_log()

ORIGIN = "webhook"
WINDOW = 256
# A server that crashes forgets the acknowledgements of its last moments and delivers those events again.
REMEMBERED = 1_024
RETRY_S = 1.0
_LEAST_WAIT_S = 0.01
_WITHHELD = "Nats-Msg-Size"  # the header of a message whose payload the server left out, as its consumer asks


@dataclass(frozen=True, slots=True)
class Feed:
    """What an endpoint gets events from. `label` names it in metrics and logs."""

    stream: StreamSpec
    durable: str
    subject: str
    label: str
    wants: Callable[[CloudEvent], bool]


def feeds(endpoint: Endpoint) -> tuple[Feed, ...]:
    """Alerts, and events of sessions where the endpoint wants some."""
    name, tenant = endpoint.name, endpoint.tenant
    alerts = Feed(streams.ALERTS, f"webhook-{name}", subjects.alerts_of(tenant), name, endpoint.wants)
    if not endpoint.sessions:
        return (alerts,)
    durable, label = f"webhook_sessions-{name}", f"{name} sessions"
    return alerts, Feed(streams.SESSIONS, durable, subjects.lifecycles_of(tenant), label, endpoint.wants_session)


class Courier:
    """Delivers a feed to its endpoint while `run` runs."""

    def __init__(
        self, bus: Bus, sender: Sender, endpoint: Endpoint, feed: Feed, patience: Patience, ack_wait_s: float
    ) -> None:
        terms = Terms(ack_wait_s=ack_wait_s, window=WINDOW, from_now=True, forget_s=feed.stream.max_age_s)
        self.endpoint = endpoint
        self.feed = feed
        self._bus = bus
        self._sender = sender
        self._ack_wait_s = ack_wait_s
        self._again = 0  # deliveries of events that somebody had before
        self._events: Consumer = bus.consume(feed.stream, feed.durable, feed.subject, terms)
        self._backlog = Backlog(patience)
        self._held: dict[int, tuple[Delivery, CloudEvent]] = {}
        self._settled: deque[str] = deque(maxlen=REMEMBERED)
        self._came = asyncio.Event()

    @property
    def consumer(self) -> Consumer:
        """The feed's consumer."""
        return self._events

    @property
    def is_there(self) -> bool:
        """Whether JetStream has this feed's consumer: from then on no event is missed."""
        return self._events.exists

    async def run(self) -> None:
        """Deliver until cancelled; then hand back what waits, to be delivered again at once."""
        self._show()
        async with self._events as events:
            try:
                await first_to_end(self._take_all(events), self._deliver_all(), self._hold_all())
            finally:
                for delivery, _ in self._held.values():
                    with contextlib.suppress(BusError):
                        await delivery.retry(0.0)

    async def _take_all(self, events: Consumer) -> None:
        async for delivery in events:
            try:
                await self._take(delivery)
            except BusError as error:
                log.warning("event handling failed", endpoint=self.feed.label, reason=str(error))

    async def _take(self, delivery: Delivery) -> None:
        """Let a wanted event wait for its delivery, and be done with every other. Raises `BusError`."""
        self._again += delivery.delivered > 1
        self._came.set()
        if _WITHHELD in delivery.headers:
            return  # somebody changed the consumer: once it is made again, the event comes whole
        if self._is_repeat(delivery):
            await delivery.ack()
            return
        try:
            event = decode_event(delivery.payload)
        except InvalidMessage as error:
            await self._dead_letter(delivery, str(error), delivery.delivered)
            await self._settle(delivery)
            return
        if reason := why_foreign(delivery, event):
            metrics.FOREIGN.labels(self.feed.label).inc()
            log.error("foreign event rejected", reason=reason, **self._about(event))
            await self._dead_letter(delivery, f"not stored by Vigil: {reason}", delivery.delivered)
            await self._settle(delivery)
            return
        if not self.feed.wants(event):
            metrics.FILTERED.labels(self.feed.label).inc()
            await self._settle(delivery)
            return
        self._held[delivery.sequence] = (delivery, event)
        self._backlog.add(delivery.sequence, event.subject)
        self._show()

    def _is_repeat(self, delivery: Delivery) -> bool:
        """Whether the event was handled, or waits here from another place in the stream: whoever stores an alert again
        does not have it sent again."""
        identity = _identity(delivery)
        waiting = (other for other, _ in self._held.values() if other.sequence != delivery.sequence)
        return identity in self._settled or any(identity == _identity(other) for other in waiting)

    async def _deliver_all(self) -> NoReturn:
        await self._had_before()
        while True:
            self._came.clear()
            number = self._backlog.next(time.monotonic())
            if number is not None:
                await self._deliver(number)
                continue
            due_s = self._backlog.due_in_s(time.monotonic())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if due_s is None else max(due_s, _LEAST_WAIT_S)):
                    await self._came.wait()

    async def _had_before(self) -> None:
        """Wait for the events that a bridge had in hand when it died, so that none behind them is tried before."""
        await self._came.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._ack_wait_s + RETRY_S):
                while self._again < self._events.left:
                    self._came.clear()
                    await self._came.wait()

    async def _deliver(self, number: int) -> None:
        """Try an event once, in the trace of the turn that caused it."""
        delivery, event = self._held[number]
        with continued({TRACEPARENT: event.traceparent or ""}):
            await self._attempt(number, delivery, event)
        self._show()

    async def _attempt(self, number: int, delivery: Delivery, event: CloudEvent) -> None:
        verdict = await self._tried(number, delivery, event)
        if verdict.fate is not Fate.RETRY:
            if verdict.fate is Fate.DEAD:
                await self._put_aside(delivery, verdict)
            try:
                await self._settle(self._held.pop(number)[0])
            except BusError as error:  # it comes again, and is recognised
                log.warning("event handling failed", reason=str(error), **self._about(event))

    async def _tried(self, number: int, delivery: Delivery, event: CloudEvent) -> Verdict:
        attributes: dict[str, AttributeValue] = {
            spans.HTTP_METHOD: "POST",
            spans.SERVER_ADDRESS: self.endpoint.host,
            spans.ENDPOINT: self.feed.label,
            spans.MESSAGE_ID: _identity(delivery),
        }
        with span(spans.DELIVER, attributes) as current:
            with metrics.SECONDS.time():
                outcome = await self._sender.post(self.endpoint, event.id, delivery.payload)
            verdict = self._backlog.tried(number, outcome, time.monotonic(), random.random())
            current.set_attributes({spans.FATE: verdict.fate, spans.HTTP_RESENDS: verdict.tries - 1})
            if outcome.status:
                current.set_attribute(spans.HTTP_STATUS, outcome.status)
            if verdict.fate is not Fate.DELIVERED:
                current.set_attribute(spans.ERROR_TYPE, str(outcome.status or "unreachable"))
                current.set_status(StatusCode.ERROR)
            self._report(event, verdict)
        return verdict

    async def _put_aside(self, delivery: Delivery, verdict: Verdict) -> None:
        """Store the dead letter, however long NATS is away: without it no event comes anyway."""
        while True:
            try:
                await self._dead_letter(delivery, verdict.reason, verdict.tries)
            except BusError as error:
                log.warning("event handling failed", endpoint=self.feed.label, reason=str(error))
                await asyncio.sleep(RETRY_S)
            else:
                return

    async def _settle(self, delivery: Delivery) -> None:
        self._settled.append(_identity(delivery))
        await delivery.ack()

    async def _hold_all(self) -> NoReturn:
        """Tell JetStream that what waits here is in hand: else it would deliver it again."""
        while True:
            await asyncio.sleep(self._ack_wait_s / 3)
            for delivery, _ in tuple(self._held.values()):
                with contextlib.suppress(BusError):
                    await delivery.keep()

    def _report(self, event: CloudEvent, verdict: Verdict) -> None:
        metrics.ATTEMPTS.labels(self.feed.label, verdict.fate).inc()
        about = self._about(event)
        match verdict.fate:
            case Fate.DELIVERED:
                log.info("event delivered", tries=verdict.tries, **about)
            case Fate.DEAD:
                log.error("event dead-lettered", reason=verdict.reason, **about)
            case Fate.RETRY:
                retry_s = round(verdict.delay_s, 2)
                log.warning("event not delivered", reason=verdict.reason, tries=verdict.tries, retry_s=retry_s, **about)

    async def _dead_letter(self, delivery: Delivery, reason: str, tries: int) -> None:
        letter = DeadLetter(
            origin=ORIGIN,
            recipient=self.endpoint.name,
            reason=reason,
            attempts=tries,
            stream=self.feed.stream.name,
            sequence=delivery.sequence,
            subject=delivery.subject,
            payload=delivery.payload,
        )
        await self._bus.publish_stored(dead_letter_outgoing(letter, emit_time_us=time.time_ns() // 1_000))
        metrics.DEAD_LETTERS.labels(self.feed.label).inc()

    def _show(self) -> None:
        metrics.WAITING.labels(self.feed.label).set(len(self._backlog))
        metrics.FAILING.labels(self.feed.label).set(self._backlog.failures)

    def _about(self, event: CloudEvent) -> dict[str, object]:
        data = event.data if isinstance(event.data, dict) else {}
        return {
            "endpoint": self.feed.label,
            "event_id": event.id,
            "tenant": data.get("tenant", ""),
            "session": data.get("session", ""),
            "source": data.get("source_id", ""),
        }


def _identity(delivery: Delivery) -> str:
    """What the event is recognised by, wherever in the stream it lies."""
    return delivery.headers.get(MESSAGE_ID, "") or f"#{delivery.sequence}"
