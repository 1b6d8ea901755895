"""What tts does with a session that it holds: hears what the session says, and speaks it, until the session ends."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

from vigil.contract import subjects
from vigil.contract.audio import decode_activity
from vigil.contract.errors import InvalidMessage
from vigil.core.alert import AlertState
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusUnavailable
from vigil.runtime.placement.leases import Claim
from vigil.runtime.process.cancellation import first_to_end
from vigil.runtime.process.logs import get_log, source_logs
from vigil.runtime.session.claimed import until_over
from vigil.runtime.session.follow import follow
from vigil.runtime.store.sessions import Ended
from vigil_tts import metrics
from vigil_tts.offers import alert_words, announcement_words, is_to_session, utterance_words
from vigil_tts.ports import Ports
from vigil_tts.session_voice import SessionVoice, session_voice

CAPACITY = 64  # messages of a kind that may wait; they are read at once

log = get_log()

Take = Callable[[bytes], None]
Reading = Coroutine[Any, Any, Ended]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Messages of one kind, and who takes each."""

    kind: str
    subject: str
    take: Take


class Speaker:
    """`run` is the claimer's: it ends when the session does, or by being cancelled, or raises and is run again."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    async def run(self, claim: Claim) -> None:
        """Speak for one session until it has ended. What was said before this worker came is not spoken."""
        ports, key = self._ports, claim.key
        async with until_over(ports, key, (Role.TTS,)):
            look = await ports.store.look(key)
            if look.ended is None:
                with source_logs(look.spec.source.id):
                    await self._speak(claim, look.spec)

    async def _speak(self, claim: Claim, spec: SessionSpec) -> None:
        async with session_voice(self._ports, spec) as voice, hear_all(self._ports.bus, spec, voice) as readings:
            await self._ports.placement.take_up(Role.TTS, claim)
            log.info("speaking began", voice=spec.voice.name, language=spec.voice.language)
            await first_to_end(*readings, follow(self._ports, spec.key, lambda look: voice.take_up(look.spec)))


@asynccontextmanager
async def hear_all(bus: Bus, spec: SessionSpec, voice: SessionVoice) -> AsyncIterator[tuple[Reading, ...]]:
    """Subscribe to all that `voice` is to know of; what it yields hands it on, and is to be run within the block."""
    async with AsyncExitStack() as stack:
        works = []
        for subscription in subscriptions(spec, voice):
            messages = await stack.enter_async_context(bus.subscribe(subscription.subject, CAPACITY))
            works.append(_each(subscription.kind, messages, subscription.take))
        yield tuple(works)


def subscriptions(spec: SessionSpec, voice: SessionVoice) -> tuple[Subscription, ...]:
    """What is heard of the session, and handed to its voice."""
    key = spec.key
    alerts = (
        Subscription("alert", subjects.alert(spec.tenant, spec.source.id, state), partial(_offer_alert, voice, key))
        for state in (AlertState.OPENED, AlertState.UPDATED)
    )
    return (
        Subscription("utterance", subjects.utterance(key), lambda payload: voice.offer(utterance_words(payload))),
        *alerts,
        Subscription(
            "announcement", subjects.announcement(key), lambda payload: voice.offer(announcement_words(payload))
        ),
        Subscription("activity", subjects.voice_activity(key), lambda payload: voice.user(decode_activity(payload))),
        Subscription("transcript", subjects.transcript(key), partial(_tell_transcript, voice)),
    )


async def _each(kind: str, messages: KeepLatest[Message], take: Take) -> Ended:
    """Hand every message to `take`; one that cannot be read is counted and left out."""
    async for message, dropped in messages.counted():
        metrics.LEFT_OUT.inc(dropped)
        try:
            take(message.payload)
        except InvalidMessage as error:
            metrics.UNREADABLE.labels(kind).inc()
            log.warning("message skipped", kind=kind, reason=str(error))
    return _lost(kind)


def _lost(kind: str) -> NoReturn:
    raise BusUnavailable(f"no {kind} can be heard: the subscription ended")


def _offer_alert(voice: SessionVoice, key: SessionKey, payload: bytes) -> None:
    words = alert_words(payload, key.session)
    if words is not None:
        voice.offer(words)


def _tell_transcript(voice: SessionVoice, payload: bytes) -> None:
    voice.transcript(is_to_session=is_to_session(payload))
