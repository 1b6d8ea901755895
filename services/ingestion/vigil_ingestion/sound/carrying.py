"""Publishes what was heard of a source."""

from collections.abc import Callable
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.audio import AudioChunk, encode_audio
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey
from vigil.core.sound_cutter import Piece
from vigil.runtime.bus.client import Bus
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_ingestion import metrics

log = get_log()


async def carry_sound(
    bus: Bus, key: SessionKey, stream: str, pieces: KeepLatest[Piece], is_wanted: Callable[[], bool]
) -> NoReturn:
    """Publish each piece as a chunk of `stream` while it is wanted, until cancelled. What is dropped is a gap in the
    numbers of chunks."""
    sequence = 0
    while True:
        piece, dropped = await pieces.take()
        metrics.SOUND_DROPPED.labels("replaced").inc(dropped)
        chunk = AudioChunk(key, Origin.SOURCE, stream, sequence + dropped, piece.time_us, piece.pcm)
        sequence += dropped + 1
        if not is_wanted():
            continue
        try:
            await bus.publish(subjects.audio_in(key), encode_audio(chunk))
        except BusError as error:
            metrics.SOUND_DROPPED.labels("unpublished").inc()
            log.debug("sound not published", reason=str(error))
        else:
            metrics.SOUND_CHUNKS.inc()
