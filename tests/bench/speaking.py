"""How fast a session speaks with the embedded voice, and how fast it falls silent: `python -m bench.speaking`.

A worker's own code speaks for one session on real NATS and Redis, with the voice that `make speech` installs. Whoever
listens to the bus takes the times; sound counts as heard when a page could play it.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.progress import say, wait_until
from bench.statistics import Spread, spread
from vigil.contract import subjects
from vigil.contract.audio import SpokenChunk, VoiceState, decode_spoken
from vigil.contract.events.envelope import decode_event
from vigil.contract.outgoing import Outgoing
from vigil.contract.streams import SPEECH
from vigil.core.hearing import Became
from vigil.core.source import Role
from vigil.runtime.bus.client import Bus, BusConfig
from vigil.runtime.placement.leases import Placement
from vigil.runtime.process.config import load
from vigil.runtime.store.redis_client import open_redis
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.servers import NatsServer, RedisServer
from vigil_tts.config import TtsSettings
from vigil_tts.ports import Ports
from vigil_tts.session_voice import session_voice
from vigil_tts.speaker import hear_all
from vigil_tts.synthesizers.kinds import open_synthesizer
from vigil_tts.synthesizers.port import Synthesizer, Task
from vigil_tts.testing import session_events as events
from vigil_tts.text.spoken import spoken

_PATIENCE_S = 60.0
_WHO = ("A man in a red coat", "A woman with a child", "A delivery van", "A black dog", "Somebody with a ladder")
_DOES = ("is at the front door", "walks slowly along the fence", "has stopped at gate 3", "is waiting in the rain")
_MORE = (".", ", and nobody else is to be seen.", ". It is 14:05 and 21 °C outside.")
SENTENCES = tuple(f"{who} {does}{more}" for who in _WHO for does in _DOES for more in _MORE)  # 60
LONG = "The yard is quiet, the gates are closed, two cars stand by the wall, and a man in a blue jacket looks at them."
ALERTS, TALKING_S = 20, 20


@dataclass(frozen=True, slots=True)
class Spoke:
    """Times are in seconds. `first_audio_s`: from when words were published until their first sound came over the bus.
    `barge_in_s`: from when it was published that a user speaks until the last sound before that was played. `alert_s`:
    from when a critical alert was published over a running sentence until its own first sound; `silence_s` until the
    last of the sentence was played. `factor`: seconds of the engine for a second of sound. `talk`: how many events told
    of the words of a model that speaks every second; `longest_wait_s` from words of it to their first sound."""

    first_audio_s: Spread
    barge_in_s: Spread
    alert_s: Spread
    silence_s: Spread
    factor: float
    sound_s: float
    engine_mib: float
    talk: dict[str, int]
    longest_wait_s: float


@dataclass(slots=True)
class Ear:
    """Hears the session: when each chunk came, and when the last of it will have been played."""

    chunks: list[tuple[float, SpokenChunk]] = field(default_factory=list)
    played_at: dict[str, float] = field(default_factory=dict)

    def take(self, payload: bytes) -> None:
        """A chunk came just now."""
        now, chunk = time.monotonic(), decode_spoken(payload)
        self.chunks.append((now, chunk))
        begun = max(now, self.played_at.get(chunk.utterance, 0.0))
        self.played_at[chunk.utterance] = begun + chunk.duration_ms / 1_000

    def first(self, utterance: str) -> float | None:
        """When the first sound of it came."""
        return next((at for at, chunk in self.chunks if chunk.utterance == utterance and chunk.pcm), None)

    def has_ended(self, utterance: str) -> bool:
        """Whether nothing of it follows."""
        return any(chunk.is_last for _, chunk in self.chunks if chunk.utterance == utterance)


@dataclass(slots=True)
class Scene:
    """The session, its voice and the ear."""

    bus: Bus
    ear: Ear
    turn: int = 0
    spec = events.speaking_session()

    async def store(self, outgoing: Outgoing) -> tuple[str, float]:
        """Publish an event; its id, and when."""
        at = time.monotonic()
        await self.bus.publish_stored(outgoing)
        return decode_event(outgoing.payload).id, at

    async def says(self, text: str) -> tuple[str, float]:
        """The model says it."""
        self.turn += 1
        return await self.store(events.utterance(self.spec, self.turn, text))

    async def sounds(self, utterance: str) -> float:
        """When its first sound came."""
        await wait_until(lambda: self.ear.first(utterance) is not None, _PATIENCE_S, "the first sound")
        return self.ear.first(utterance) or 0.0

    async def interrupts(self) -> float:
        """A user speaks to the session; when that was published."""
        at = time.monotonic()
        await self.bus.publish(subjects.voice_activity(self.spec.key), events.activity(self.spec, VoiceState.STARTED))
        return at

    async def is_understood(self) -> None:
        """His words are known."""
        await self.bus.publish(subjects.voice_activity(self.spec.key), events.activity(self.spec, VoiceState.STOPPED))
        await self.store(events.transcript(self.spec, Became.QUERY))


async def measure(folder: Path) -> Spoke:
    """Measure all of it. Raises `RuntimeError` when something does not happen within a minute."""
    settings = load(TtsSettings, {"tts_folder": str(folder)})
    async with open_synthesizer(settings) as engine:
        say("the voice reads 60 sentences")
        factor, sound_s = await _factor(engine)
        async with _scene(engine) as scene:
            say("60 sentences are begun, and a user interrupts each")
            first_audio, barge_in = await _begun_and_interrupted(scene)
            say(f"{ALERTS} critical alerts interrupt a sentence")
            alerts, silences = await _alerts(scene)
            say(f"a model talks every second for {TALKING_S} s")
            talk, longest_wait_s = await _talk(scene)
        return Spoke(
            first_audio_s=spread(first_audio),
            barge_in_s=spread(barge_in),
            alert_s=spread(alerts),
            silence_s=spread(silences),
            factor=factor,
            sound_s=sound_s,
            engine_mib=_engine_mib(),
            talk=talk,
            longest_wait_s=longest_wait_s,
        )


async def _factor(engine: Synthesizer) -> tuple[float, float]:
    seconds, begun = 0.0, time.monotonic()
    for text in SENTENCES:
        async for sound in engine.speak(Task(spoken(text))):
            seconds += sound.seconds
    return (time.monotonic() - begun) / seconds, seconds


async def _begun_and_interrupted(scene: Scene) -> tuple[list[float], list[float]]:
    first_audio, barge_in = [], []
    for text in SENTENCES:
        utterance, at = await scene.says(text)
        first_audio.append(await scene.sounds(utterance) - at)
        await asyncio.sleep(0.4)
        at = await scene.interrupts()
        await asyncio.sleep(0.4)  # longer than it may take to fall silent
        barge_in.append(scene.ear.played_at[utterance] - at)
        await scene.is_understood()
        await wait_until(lambda said=utterance: scene.ear.has_ended(said), _PATIENCE_S, "it ends")  # type: ignore[misc]
    return first_audio, barge_in


async def _alerts(scene: Scene) -> tuple[list[float], list[float]]:
    alerts, silences = [], []
    for number in range(ALERTS):
        utterance, _ = await scene.says(LONG)
        await scene.sounds(utterance)
        await asyncio.sleep(0.5)
        alert, at = await scene.store(events.alert(scene.spec, 100_000 + number, "Fire!"))
        alerts.append(await scene.sounds(alert) - at)
        silences.append(scene.ear.played_at[utterance] - at)
        await wait_until(lambda said=alert: scene.ear.has_ended(said), _PATIENCE_S, "it ends")  # type: ignore[misc]
        await asyncio.sleep(0.3)  # until it was heard, too
    return alerts, silences


async def _talk(scene: Scene) -> tuple[dict[str, int], float]:
    """How the words ended, and the longest time from words to their first sound."""
    said = []
    for number in range(TALKING_S):
        said.append(await scene.says(SENTENCES[number]))
        await asyncio.sleep(1.0)
    await asyncio.sleep(8.0)
    page = await scene.bus.stored(SPEECH, subjects.speech_of(scene.spec.key), 1, 10_000)
    names = {utterance for utterance, _ in said}
    talk: dict[str, int] = {}
    for data in (decode_event(message.payload).data for message in page.messages):
        if data["utterance"] in names:
            talk[data["event"]] = talk.get(data["event"], 0) + 1
    waits = [first - at for utterance, at in said if (first := scene.ear.first(utterance)) is not None]
    return talk, max(waits)


def _engine_mib() -> float:
    """The resident memory of the process that serves the voice."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            if b"embedded_server.py" in (status.parent / "cmdline").read_bytes():
                line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
                return int(line.split()[1]) / 1_024
    return 0.0


@asynccontextmanager
async def _scene(engine: Synthesizer) -> AsyncIterator[Scene]:
    with tempfile.TemporaryDirectory() as folder:
        nats, redis_server = NatsServer(Path(folder) / "nats"), RedisServer(Path(folder) / "redis")
        await asyncio.gather(nats.start(), redis_server.start())
        try:
            async with (
                Bus.connect(BusConfig(nats.url, name="bench")) as bus,
                open_redis(redis_server.url) as redis,
            ):
                await bus.connected()
                ports = Ports(SessionStore(redis), bus, Placement(redis), engine)
                async with _speaking(ports, Scene(bus, Ear())) as scene:
                    yield scene
        finally:
            await asyncio.gather(nats.kill(), redis_server.kill())


@asynccontextmanager
async def _speaking(ports: Ports, scene: Scene) -> AsyncIterator[Scene]:
    await ports.store.create(scene.spec)
    await ports.placement.open(scene.spec.key, (Role.TTS,))

    async def listen(messages: AsyncIterator[object]) -> None:
        async for message in messages:
            scene.ear.take(message.payload)  # type: ignore[attr-defined]

    async with (
        ports.bus.subscribe(subjects.audio_out(scene.spec.key), 10_000) as messages,
        session_voice(ports, scene.spec) as voice,
        hear_all(ports.bus, scene.spec, voice) as hearing,
    ):
        tasks = [asyncio.create_task(listen(messages)), *(asyncio.create_task(work) for work in hearing)]
        try:
            yield scene
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """Measure with the voice in the folder that is named, and print the figures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".venv-speech")
    spoke = asyncio.run(measure(folder))
    for name in spoke.__slots__:
        say(f"{name}: {getattr(spoke, name)}")


if __name__ == "__main__":
    main()
