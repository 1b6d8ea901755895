"""Hears all that sessions are told of speech, and notes when it came (microseconds since the epoch)."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.load_plan import TENANT
from bench.nats_client import connected
from vigil.contract.audio import SpokenChunk, VoiceActivity, VoiceState, decode_activity, decode_spoken
from vigil.contract.events.envelope import decode_event
from vigil.core.ids import SessionKey
from vigil.testing.handled import handled


@dataclass(frozen=True, slots=True)
class Told:
    """The data of an event, and when it came."""

    at_us: int
    data: Mapping[str, Any]


@dataclass(slots=True)
class Heard:
    """What one session was told so far. Of utterances `first_us` is when the first sound came, `played_us` when a
    page that plays all at once has played the last sound so far; `ended` are over. `spoken_us` is how long all of them
    sound."""

    activities: list[tuple[int, VoiceActivity]] = field(default_factory=list)
    partials: list[Told] = field(default_factory=list)
    finals: list[Told] = field(default_factory=list)
    speech: list[Told] = field(default_factory=list)
    first_us: dict[str, int] = field(default_factory=dict)
    played_us: dict[str, int] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    spoken_us: int = 0

    def take(self, at_us: int, chunk: SpokenChunk) -> None:
        """A chunk came then. The last one of words that were interrupted is without sound, and comes when they are
        given up, long after the last sound."""
        if chunk.pcm:
            lasts_us = round(chunk.duration_ms * 1_000)
            self.first_us.setdefault(chunk.utterance, at_us)
            self.played_us[chunk.utterance] = max(at_us, self.played_us.get(chunk.utterance, 0)) + lasts_us
            self.spoken_us += lasts_us
        if chunk.is_last:
            self.ended.add(chunk.utterance)

    def count(self, state: VoiceState) -> int:
        """How often that was told of a voice."""
        return sum(activity.state is state for _, activity in self.activities)

    def mark(self) -> tuple[int, int, int]:
        """How much of what users said was told so far."""
        return len(self.activities), len(self.partials), len(self.finals)

    def since(self, mark: tuple[int, int, int]) -> "Heard":
        """What was told of it later. A time would not do: a microphone may be behind the clock."""
        activities, partials, finals = mark
        return Heard(self.activities[activities:], self.partials[partials:], self.finals[finals:])

    def is_interrupted(self, utterance: str) -> bool:
        """Whether the user's words ended it."""
        return any(
            told.data["utterance"] == utterance
            and told.data["event"] == "interrupted"
            and told.data["cause"] == "user_spoke"
            for told in self.speech
        )

    def silent_after(self, at_us: int, utterance: str) -> int | None:
        """When a player falls silent, after somebody began to speak then: it pauses as soon as it is told of that, or
        has played all before."""
        told = (came_us for came_us, activity in self.activities if activity.state is VoiceState.STARTED)
        ends = [came_us for came_us in told if came_us >= at_us][:1]
        if utterance in self.played_us:
            ends.append(self.played_us[utterance])
        return min(ends, default=None)

    def answer_since(self, at_us: int) -> int | None:
        """When the first sound of the first answer came that began then or later."""
        answers = [told for told in self.speech if told.data["kind"] == "answer" and told.data["event"] == "started"]
        firsts = [self.first_us.get(told.data["utterance"], 0) for told in answers]
        return next((first_us for first_us in firsts if first_us >= at_us), None)


class Listener:
    """By session."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.of: defaultdict[str, Heard] = defaultdict(Heard)

    async def listen(self) -> None:
        """Subscribe to all of the benchmark's tenant."""
        client = self.client
        await client.subscribe(f"vigil.v1.audio.activity.{TENANT}.*", cb=self._activity)
        await client.subscribe(f"vigil.v1.audio.out.{TENANT}.*", cb=self._sound)
        await client.subscribe(f"vigil.v1.transcript.*.{TENANT}.*", cb=self._transcript)
        await client.subscribe(f"vigil.v1.speech.*.{TENANT}.*", cb=self._speech)
        await handled(client)

    async def _activity(self, message: Msg) -> None:
        activity = decode_activity(message.data)
        self.of[activity.key.session].activities.append((_now_us(), activity))

    async def _sound(self, message: Msg) -> None:
        now_us, chunk = _now_us(), decode_spoken(message.data)
        self.of[chunk.key.session].take(now_us, chunk)

    async def _transcript(self, message: Msg) -> None:
        told = Told(_now_us(), decode_event(message.data).data)
        heard = self.of[told.data["session"]]
        (heard.partials if told.data["became"] is None else heard.finals).append(told)

    async def _speech(self, message: Msg) -> None:
        told = Told(_now_us(), decode_event(message.data).data)
        self.of[told.data["session"]].speech.append(told)


@asynccontextmanager
async def listening(nats_url: str) -> AsyncIterator[Listener]:
    """Listen as long as the block runs."""
    client = await connected(nats_url, "bench listener")
    try:
        listener = Listener(client)
        await listener.listen()
        yield listener
    finally:
        await client.close()


def key_of(session: str) -> SessionKey:
    """A session of the benchmark."""
    return SessionKey(TENANT, session)


def _now_us() -> int:
    return time.time_ns() // 1_000
