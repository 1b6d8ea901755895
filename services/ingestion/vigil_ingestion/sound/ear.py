"""Hears one session's source: decodes its sound in a thread of its own, so that no picture waits for that."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import av

from vigil.core.sound_cutter import CHUNK_MS, Cutter, Piece
from vigil.runtime.channel import KeepLatest
from vigil.runtime.process.logs import get_log
from vigil_ingestion import metrics
from vigil_ingestion.clock import Clock
from vigil_ingestion.continuity import US_PER_S
from vigil_ingestion.sound.arrivals import LATE_US, Arrivals
from vigil_ingestion.sound.buffer import Sound, SoundBuffer
from vigil_ingestion.sound.decoder import Decoder
from vigil_ingestion.sound.packet import Hear, SoundFormat, SoundPacket

log = get_log()

WAITING_US = 10 * US_PER_S  # of sound that waits to be decoded: files have their sound ahead of their pictures
PUBLISHED_MS = 2_000  # of sound that waits to be published: the newest
FRAME_US = US_PER_S // 50  # a sound frame of WebRTC whose rate is not known


class Ear:
    """`pieces` has the newest chunks, for the event loop. Everything else may be called from any thread, and never
    waits."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.pieces: KeepLatest[Piece] = KeepLatest(PUBLISHED_MS // CHUNK_MS)
        self._loop = loop
        self._waiting = SoundBuffer(WAITING_US)
        self._over = asyncio.Event()
        self._arrivals = Arrivals()  # of WebRTC
        self._cutter = Cutter()
        self._decoder: Decoder | None = None

    def live(self, sound_format: SoundFormat, clock: Clock) -> Hear:
        """What takes the sound of a live source as it arrives."""
        arrivals = Arrivals()

        def hear(packet: SoundPacket) -> None:
            heard_us = arrivals.heard_us(clock.now_us(), packet.position_us, packet.duration_us)
            if heard_us is None:
                metrics.SOUND_DROPPED.labels("late").inc()
            else:
                self._put(Sound(packet.data, heard_us, packet.duration_us, sound_format))

        return hear

    def played(self, packet: SoundPacket, due_us: int, sound_format: SoundFormat, clock: Clock) -> None:
        """Sound of a file, which is heard at `due_us`."""
        self._put(Sound(packet.data, due_us, packet.duration_us, sound_format, clock))

    def decoded(self, frame: av.AudioFrame, now_us: int) -> None:
        """Sound that came decoded, as that of WebRTC does."""
        duration_us = frame.samples * US_PER_S // frame.sample_rate if frame.sample_rate else FRAME_US
        position_us = None if frame.pts is None or not frame.time_base else int(frame.pts * frame.time_base * US_PER_S)
        heard_us = self._arrivals.heard_us(now_us, position_us, duration_us)
        if heard_us is None:
            metrics.SOUND_DROPPED.labels("late").inc()
        else:
            self._put(Sound(frame, heard_us, duration_us))

    def run(self) -> None:
        """What the thread runs."""
        try:
            while (sound := self._waiting.take()) is not None:
                if self._is_due(sound):
                    self._hear(sound)
        finally:
            self._loop.call_soon_threadsafe(self._over.set)

    async def stop(self) -> None:
        """End the thread; returns when it has ended."""
        self._waiting.end()
        await self._over.wait()

    def _put(self, sound: Sound) -> None:
        metrics.SOUND_DROPPED.labels("coded").inc(self._waiting.put(sound))

    def _is_due(self, sound: Sound) -> bool:
        """Wait until sound of a file was heard to its end; whether it is still to be heard then."""
        if sound.clock is None:
            return True
        end_us = sound.time_us + sound.duration_us
        if sound.clock.now_us() - end_us > LATE_US:
            metrics.SOUND_DROPPED.labels("late").inc()
            return False
        return sound.clock.wait_until(end_us)

    def _hear(self, sound: Sound) -> None:
        try:
            if self._decoder is None or self._decoder.format is not sound.format:
                self._decoder = Decoder(sound.format)
            pcm = self._decoder.samples(sound.data)
        except Exception as error:  # noqa: BLE001  damaged sound may fail a decoder in any way
            metrics.SOUND_DROPPED.labels("broken").inc()
            self._decoder = None  # sound of another form comes, or the decoder is in a bad state
            log.debug("sound not decoded", error=type(error).__name__)
            return
        self._cutter, pieces = self._cutter.step(sound.time_us, pcm)
        for piece in pieces:
            self._loop.call_soon_threadsafe(self.pieces.offer, piece)


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    """An ear whose thread runs inside the block."""
    ear = Ear(asyncio.get_running_loop())
    threading.Thread(target=ear.run, name="sound", daemon=True).start()
    try:
        yield ear
    finally:
        await ear.stop()
