"""Tells what becomes of the words of a session. Its events are stored in their order, beside the speaking: JetStream
may be slow or away."""

import asyncio
from collections.abc import Callable

from vigil.contract.events.speech import Spoken, speech_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import SpeechEvent
from vigil.core.session import SessionSpec
from vigil.core.speech import MAX_AGE_US, Words
from vigil.core.voice import SpeechCause
from vigil.runtime.bus.client import Bus
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, BusUnavailable
from vigil.runtime.process.logs import get_log
from vigil_tts import metrics

CAPACITY = 256
RETRY_S = 1.0
_REASONS = {
    SpeechCause.SPEAKING: "something else was being spoken",
    SpeechCause.QUEUE_FULL: "something newer or more urgent took its place",
    SpeechCause.TOO_OLD: f"it was older than {MAX_AGE_US // 1_000_000} s before its first sound",
    SpeechCause.USER_SPOKE: "the user spoke",
    SpeechCause.CRITICAL_ALERT: "a critical alert interrupted it",
    SpeechCause.TURNED_OFF: "the session's voice was turned off",
    SpeechCause.SESSION_OVER: "the session has ended",
}

log = get_log()


class Telling:
    """Holds the newest `CAPACITY` events that are not stored yet; older ones are dropped and counted. `spec` may change
    meanwhile."""

    def __init__(self, bus: Bus, spec: SessionSpec, now_us: Callable[[], int]) -> None:
        self._bus = bus
        self.spec = spec
        self._now_us = now_us
        self._events: KeepLatest[Outgoing] = KeepLatest(CAPACITY)

    def tell(
        self,
        event: SpeechEvent,
        words: Words,
        *,
        heard: str = "",
        cause: SpeechCause = SpeechCause.NONE,
        reason: str = "",
    ) -> None:
        """Have an event stored soon: what happened to the words, and which part of them was `heard`. Without a `reason`
        the cause gives one."""
        if event is not SpeechEvent.STARTED:
            metrics.SPOKEN.labels(words.kind, cause or "ended").inc()
        spec, told = self.spec, reason or _REASONS.get(cause, "")
        spoken = Spoken(spec.key, spec.source.id, words.id, words.kind, words.text, heard, spec.voice.name, cause, told)
        self._events.offer(speech_outgoing(event, spoken, self._now_us(), words.traceparent))

    async def run(self) -> None:
        """Store events until `close` was called and all are stored. Cancelled, it leaves what is not stored."""
        async for event, dropped in self._events.counted():
            metrics.EVENTS_LOST.inc(dropped)
            await self._store(event)

    def close(self) -> None:
        """No more events come."""
        self._events.close()

    async def _store(self, event: Outgoing) -> None:
        while True:
            try:
                await self._bus.publish_stored(event)
            except BusUnavailable:
                await asyncio.sleep(RETRY_S)
            except BusError as error:  # it would be refused again
                metrics.EVENTS_LOST.inc()
                log.warning("speech event not stored", subject=event.subject, reason=str(error))
                return
            else:
                return
