"""A session that speaks, on real NATS and Redis, and what is heard of it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.audio import SpokenChunk, VoiceState, decode_spoken
from vigil.contract.events.envelope import decode_event
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import SPEECH
from vigil.core.alert import AlertState
from vigil.core.hearing import Became
from vigil.core.instruction import Severity
from vigil.core.session import SessionSpec
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.placement.claimer import Claimer
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil_tts.ports import Ports
from vigil_tts.speaker import Speaker
from vigil_tts.testing import session_events as events
from vigil_tts.testing.scripted_synthesizer import ScriptedSynthesizer

SPEC = events.speaking_session("anna")
KEY = SPEC.key


@dataclass
class Stage:
    """A deployment of nothing but tts: what others would publish is published here."""

    bus: Bus
    redis: Redis
    engine: ScriptedSynthesizer = field(default_factory=ScriptedSynthesizer)
    chunks: list[SpokenChunk] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    turn: int = 0

    @property
    def placement(self) -> Placement:
        return Placement(self.redis, lease_s=30)

    async def open(self, spec: SessionSpec = SPEC) -> None:
        await SessionStore(self.redis).create(spec)
        await self.placement.open(spec.key, (Role.TTS,))

    @asynccontextmanager
    async def worker(self, name: str = "one") -> AsyncIterator[Claimer]:
        """A worker, from when it listens for the session."""
        run = Speaker(Ports(SessionStore(self.redis), self.bus, self.placement, self.engine)).run
        claimer = Claimer(self.placement, self.bus, role=Role.TTS, worker=name, capacity=4, run=run)
        task = asyncio.create_task(claimer.run())
        try:
            yield claimer
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def listens(self) -> None:
        """Wait until the worker hears the session: it answers whoever asks who listens."""

        async def hears() -> bool:
            heard = [subjects.utterance(KEY), subjects.voice_activity(KEY), subjects.transcript(KEY)]
            heard.append(subjects.alert("demo", "lobby", AlertState.OPENED))
            return all([await self.bus.is_heard(subject) for subject in heard])

        await eventually(hears, what="the worker listens")

    async def says(self, text: str, *, is_answer: bool = False, age_s: float = 0.0, turn: int | None = None) -> str:
        """The model says something; returns the id of the event."""
        self.turn += 1
        sequence = self.turn if turn is None else turn
        return await self._store(events.utterance(SPEC, sequence, text, is_answer=is_answer, age_s=age_s))

    async def alerts(
        self,
        text: str,
        severity: Severity = Severity.CRITICAL,
        session: str = "s-1",
        turn: int = 1_000,
        state: AlertState = AlertState.OPENED,
    ) -> str:
        """Something becomes of an alert; returns the id of the event."""
        return await self._store(events.alert(replace(SPEC, session=session), turn, text, severity, state))

    async def user(self, state: VoiceState, stream: str = "mic-1") -> None:
        """Somebody begins to speak, or stops."""
        await self.bus.publish(subjects.voice_activity(KEY), events.activity(SPEC, state, stream))

    async def transcript(self, became: Became) -> None:
        """What somebody said is known."""
        await self._store(events.transcript(SPEC, became))

    async def _store(self, outgoing: Outgoing) -> str:
        await self.bus.publish_stored(outgoing)
        return decode_event(outgoing.payload).id

    async def told(self) -> list[dict[str, object]]:
        """The data of all speech events so far."""
        page = await self.bus.stored(SPEECH, subjects.speech_of(KEY), 1, 1_000)
        return [decode_event(message.payload).data for message in page.messages]

    async def tells(self, *expected: str) -> list[dict[str, object]]:
        """Wait for these events, each as `event: text`, in this order; returns their data."""

        async def found() -> bool:
            return len(await self.told()) >= len(expected)

        await eventually(found, what=f"{len(expected)} events are stored")
        data = await self.told()
        assert [f"{event['event']}: {event['text']}" for event in data] == list(expected)
        return data

    @property
    def heard_s(self) -> float:
        return sum(chunk.duration_ms for chunk in self.chunks) / 1_000


@pytest.fixture
async def stage(bus: Bus, redis: Redis) -> AsyncIterator[Stage]:
    """The stage with one open session, and somebody who listens to what it speaks."""
    stage = Stage(bus, redis)
    await stage.open()

    async def listen(messages: AsyncIterator[Message]) -> None:
        async for message in messages:
            stage.chunks.append(decode_spoken(message.payload))
            stage.at.append(time.monotonic())

    async with bus.subscribe(subjects.audio_out(KEY), 1_000) as messages:
        task = asyncio.create_task(listen(messages))
        yield stage
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
