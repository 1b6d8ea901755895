"""Delivers an endpoint's alerts in order: read, filter, post, and dead-letter what cannot be delivered.

Each endpoint has a durable consumer of its own, so a slow endpoint holds up no other. JetStream counts the tries of an
alert and waits for the next try, so a bridge that dies forgets nothing.
"""

import asyncio
import contextlib
import random
import time
from collections import deque

from vigil.contract import streams, subjects
from vigil.contract.dead_letters import DeadLetter, dead_letter_outgoing
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.consumer import Consumer, Delivery, Terms
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_webhook import metrics
from vigil_webhook.endpoints import Endpoint
from vigil_webhook.sender import Sender
from vigil_webhook.verdict import Fate, Outcome, Patience, is_refusal, judge

log = get_log()

ORIGIN = "webhook"
# A server that crashes forgets the acknowledgements of its last moments and delivers those alerts again.
REMEMBERED = 1_024


class Courier:
    """Delivers to an endpoint while `run` runs."""

    def __init__(self, bus: Bus, sender: Sender, endpoint: Endpoint, patience: Patience, ack_wait_s: float) -> None:
        terms = Terms(ack_wait_s=ack_wait_s, in_order=True, from_now=True, forget_s=streams.ALERTS.max_age_s)
        self.endpoint = endpoint
        self._bus = bus
        self._sender = sender
        self._patience = patience
        self._alerts: Consumer = bus.consume(
            streams.ALERTS, f"webhook-{endpoint.name}", subjects.alerts_of(endpoint.tenant), terms
        )
        self._settled: deque[tuple[int, str]] = deque(maxlen=REMEMBERED)
        self._refused = (-1, 0)  # the alert that is being tried, and how often it was refused since this start

    @property
    def is_there(self) -> bool:
        """Whether JetStream has this endpoint's consumer: from then on no alert is missed."""
        return self._alerts.exists

    async def run(self) -> None:
        """Deliver until cancelled."""
        metrics.FAILING.labels(self.endpoint.name).set(0)
        async with self._alerts as alerts:
            async for delivery in alerts:
                try:
                    await self._handle(delivery)
                except BusError as error:
                    log.warning("alert handling failed", endpoint=self.endpoint.name, reason=str(error))

    async def _handle(self, delivery: Delivery) -> None:
        identity = (delivery.sequence, delivery.headers.get("Nats-Msg-Id", ""))
        if identity not in self._settled:
            if not await self._settle(delivery):
                return
            self._settled.append(identity)
        await delivery.ack()

    async def _settle(self, delivery: Delivery) -> bool:
        """Whether the alert needs no further try: it was delivered, dead-lettered, or not wanted."""
        try:
            event = decode_event(delivery.payload)
        except InvalidMessage as error:
            await self._dead_letter(delivery, str(error))
            return True
        if not self.endpoint.wants(event):
            metrics.FILTERED.labels(self.endpoint.name).inc()
            return True
        return await self._attempt(delivery, event)

    async def _attempt(self, delivery: Delivery, event: CloudEvent) -> bool:
        outcome = await self._post(delivery, event)
        verdict = judge(outcome, delivery.delivered, self._refusals(delivery, outcome), self._patience, random.random())
        metrics.ATTEMPTS.labels(self.endpoint.name, verdict.fate).inc()
        metrics.FAILING.labels(self.endpoint.name).set(delivery.delivered if verdict.fate is Fate.RETRY else 0)
        match verdict.fate:
            case Fate.DELIVERED:
                log.info("alert delivered", tries=delivery.delivered, **self._about(event))
            case Fate.DEAD:
                log.error("alert dead-lettered", reason=verdict.reason, **self._about(event))
                await self._dead_letter(delivery, verdict.reason)
            case Fate.RETRY:
                log.warning(
                    "alert not delivered",
                    reason=verdict.reason,
                    tries=delivery.delivered,
                    retry_s=round(verdict.delay_s, 2),
                    **self._about(event),
                )
                await delivery.retry(verdict.delay_s)
        return verdict.fate is not Fate.RETRY

    def _refusals(self, delivery: Delivery, outcome: Outcome) -> int:
        """How often this alert was refused. A try that got no answer is not a refusal; JetStream counts all tries."""
        sequence, before = self._refused
        count = (before if sequence == delivery.sequence else 0) + is_refusal(outcome)
        self._refused = (delivery.sequence, count)
        return count

    async def _post(self, delivery: Delivery, event: CloudEvent) -> Outcome:
        """Post once. When the bridge stops meanwhile, it hands the alert back, to be delivered again at once."""
        try:
            with metrics.SECONDS.time():
                return await self._sender.post(self.endpoint, event.id, delivery.payload, event.traceparent or "")
        except asyncio.CancelledError:
            with contextlib.suppress(BusError):
                await delivery.retry(0.0)
            raise

    async def _dead_letter(self, delivery: Delivery, reason: str) -> None:
        letter = DeadLetter(
            origin=ORIGIN,
            recipient=self.endpoint.name,
            reason=reason,
            attempts=delivery.delivered,
            stream=streams.ALERTS.name,
            sequence=delivery.sequence,
            subject=delivery.subject,
            payload=delivery.payload,
        )
        await self._bus.publish_stored(dead_letter_outgoing(letter, emit_time_us=time.time_ns() // 1_000))
        metrics.DEAD_LETTERS.labels(self.endpoint.name).inc()

    def _about(self, event: CloudEvent) -> dict[str, object]:
        data = event.data if isinstance(event.data, dict) else {}
        return {"endpoint": self.endpoint.name, "event_id": event.id, "session": data.get("session", "")}
