"""The ears of one session: who speaks in its sound, told at once; each remark goes to the engine, and what was said
becomes a question or does not."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn

from vigil.contract.audio import AudioChunk, VoiceActivity, VoiceState, decode_audio, decode_spoken
from vigil.contract.errors import InvalidMessage
from vigil.core.hearing import Origin, TurnTaking
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusUnavailable
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.sessions import Look
from vigil_asr import metrics
from vigil_asr.ear import Began, Ear, EarEvent, Ended, FalseStart, Stirred
from vigil_asr.end_of_turn.asking import Asking
from vigil_asr.own_voice import OwnVoice
from vigil_asr.ports import Ports
from vigil_asr.remarks import Remarks, Speaker
from vigil_asr.telling import tell_activity

MAX_STREAMS = 4  # a source, and the microphones of a few people
GONE_S = 0.25  # sound that does not come for so long beyond the silence that ends a remark: it stopped coming
STOOD_STILL_S = 0.1  # a wait that took so much too long: the process got no time, and what was sent is yet to be read

log = get_log()


@dataclass(slots=True)
class _Stream:
    """One stream of sound, and when it was heard last. `is_told`: that a voice stirred was told."""

    ear: Ear
    asking: Asking
    speaker: Speaker
    heard_s: float
    is_told: bool = False


class Listening:
    """Open it with `begun`."""

    def __init__(self, ports: Ports, spec: SessionSpec, remarks: Remarks) -> None:
        self._ports = ports
        self._spec = spec
        self._remarks = remarks
        self._own = remarks.own_voice
        self._streams: dict[str, _Stream] = {}

    @classmethod
    @asynccontextmanager
    async def begun(cls, ports: Ports, spec: SessionSpec) -> AsyncIterator["Listening"]:
        """Listen for as long as the block runs; remarks that are not recognized by its end are given up."""
        remarks = Remarks(ports, spec, OwnVoice())
        listening = cls(ports, spec, remarks)
        try:
            yield listening
        finally:
            for stream in listening._streams.values():
                await stream.asking.close()
            await remarks.give_up()

    def take_up(self, look: Look) -> None:
        """What the client changed holds for the remarks that begin from now on, and for what becomes of the others."""
        self._spec = self._remarks.spec = look.spec

    async def hear(self, chunks: KeepLatest[Message]) -> NoReturn:
        """Hear the sound of the session's streams."""
        while True:
            since_s, patience_s = self._ports.now_s(), self._patience_s
            try:
                async with asyncio.timeout(patience_s if self._is_attentive else None):
                    message, dropped = await chunks.take()
            except TimeoutError:
                if self._ports.now_s() - since_s < patience_s + STOOD_STILL_S:
                    await self._finish_gone()
                continue
            except StopAsyncIteration:
                raise BusUnavailable("no sound can be heard: the subscription ended") from None
            metrics.CHUNKS_DROPPED.labels("replaced").inc(dropped)
            try:
                chunk = decode_audio(message.payload)
            except InvalidMessage as error:
                metrics.CHUNKS_DROPPED.labels("invalid").inc()
                log.warning("sound skipped", reason=str(error))
                continue
            if not chunks.statistics.waiting:
                await self._finish_gone(but=chunk.stream)
            await self._hear(chunk)

    async def hear_itself(self, spoken: KeepLatest[Message]) -> NoReturn:
        """Know what the session speaks, so as not to take it for a user."""
        async for message in spoken:
            try:
                chunk = decode_spoken(message.payload)
            except InvalidMessage as error:
                log.warning("own voice skipped", reason=str(error))
                continue
            seconds = chunk.duration_ms / 1_000
            self._own.spoke(chunk.sentence, seconds, self._ports.now_s())
            metrics.OWN_VOICE_SECONDS.inc(seconds)
        raise BusUnavailable("the session cannot hear itself: the subscription ended")

    @property
    def _is_attentive(self) -> bool:
        return any(stream.ear.is_attentive for stream in self._streams.values())

    @property
    def _patience_s(self) -> float:
        return self._ports.rules.end_silence_ms / 1_000 + GONE_S

    async def _hear(self, chunk: AudioChunk) -> None:
        stream = await self._stream(chunk)
        if stream is None:
            metrics.CHUNKS_DROPPED.labels("stream").inc()
            return
        stream.heard_s = self._ports.now_s()
        if unheard := self._unheard(chunk):
            metrics.CHUNKS_DROPPED.labels(unheard).inc()
            await self._happened(stream, stream.ear.finish())  # the button was let go, hearing was turned off
            return
        metrics.HEARD_SECONDS.labels(chunk.origin).inc(chunk.duration_ms / 1_000)
        stream.speaker = Speaker(chunk.origin, chunk.stream, chunk.is_addressed)
        await self._happened(stream, stream.ear.hear(chunk.pcm, chunk.capture_time_us))

    def _unheard(self, chunk: AudioChunk) -> str:
        """Why the session does not hear this, in a word; empty: it does."""
        hearing = self._spec.hearing
        if not hearing.is_on:
            return "off"
        return "unaddressed" if hearing.turn_taking is TurnTaking.PUSH and not chunk.is_addressed else ""

    async def _stream(self, chunk: AudioChunk) -> _Stream | None:
        """The stream that the chunk is of; None when there are too many, all of which were heard a moment ago."""
        if chunk.stream not in self._streams:
            if len(self._streams) >= MAX_STREAMS:
                oldest = min(self._streams, key=lambda name: self._streams[name].heard_s)
                if self._ports.now_s() - self._streams[oldest].heard_s < self._patience_s:
                    return None
                gone = self._streams.pop(oldest)
                await self._happened(gone, gone.ear.finish())  # else its remark, and each after it, would have no end
            speaker = Speaker(chunk.origin, chunk.stream, chunk.is_addressed)
            ear = Ear(self._ports.detector(), self._ports.rules)
            self._streams[chunk.stream] = _Stream(ear, Asking(ear, self._ports.judge), speaker, 0.0)
        return self._streams[chunk.stream]

    async def _finish_gone(self, but: str = "") -> None:
        """End what was being said in streams whose sound stopped coming: a button was let go, a page was closed. Not in
        `but`, of which some came: its ear sees by the capture times whether any is missing."""
        latest_s = self._ports.now_s() - self._patience_s
        for name, stream in self._streams.items():
            if name != but and stream.ear.is_attentive and stream.heard_s <= latest_s:
                await self._happened(stream, stream.ear.finish())

    async def _happened(self, stream: _Stream, events: Sequence[EarEvent]) -> None:
        for event in events:
            stream.asking.happened(event)
            match event:
                case Stirred(time_us):
                    stream.is_told = not self._may_be_own_voice(stream.speaker)
                    await self._tell(stream, VoiceState.STARTED, time_us)
                case FalseStart(time_us):
                    metrics.STIRRED.labels("false_start").inc()
                    await self._tell(stream, VoiceState.FALSE_START, time_us)
                case Began(begin_us, sound):
                    metrics.STIRRED.labels("remark").inc()
                    self._remarks.begin(stream.speaker, begin_us, sound, is_told=stream.is_told)
                case Ended(end_us):
                    self._remarks.end(stream.speaker, event)
                    await self._tell(stream, VoiceState.STOPPED, end_us)

    def _may_be_own_voice(self, speaker: Speaker) -> bool:
        """Whether a camera hears somebody while the session speaks: nothing takes its own voice out of that sound, as
        browsers do with a microphone's. Then the words must show who speaks."""
        now_s = self._ports.now_s()
        return speaker.origin is Origin.SOURCE and bool(self._own.between(now_s, now_s))

    async def _tell(self, stream: _Stream, state: VoiceState, time_us: int) -> None:
        if stream.is_told:
            speaker = stream.speaker
            activity = VoiceActivity(self._spec.key, state, time_us, speaker.origin, speaker.stream)
            await tell_activity(self._ports, activity)
