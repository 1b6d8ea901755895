"""Publishes the sound of one text as chunks that whoever listens can play, and mark the words of."""

from vigil.contract import subjects
from vigil.contract.audio import SpokenChunk, SpokenWord, encode_spoken
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_tts import metrics
from vigil_tts.player import Piece
from vigil_tts.text.sentences import Sentence

log = get_log()


class SpokenSound:
    """The sound of the utterance of that id. A chunk that the bus does not take is lost, as sound that is late is."""

    def __init__(self, bus: Bus, key: SessionKey, utterance: str) -> None:
        self._bus = bus
        self._key = key
        self._utterance = utterance
        self._sequence = 0
        self._rate_hz = 0
        self._sentence = Sentence("", 0)
        self._has_told_loss = False

    async def publish(self, piece: Piece) -> None:
        """Publish the next piece."""
        self._rate_hz, self._sentence = piece.sample_rate_hz, piece.sentence
        words = tuple(
            SpokenWord(
                piece.sentence.begin + timed.word.begin,
                piece.sentence.begin + timed.word.end,
                round(timed.from_s * 1_000),
                round(timed.to_s * 1_000),
            )
            for timed in piece.words
        )
        await self._send(piece.pcm, words, is_last=False)

    async def end(self) -> None:
        """Say that nothing follows, if there was any sound."""
        if self._rate_hz:
            await self._send(b"", (), is_last=True)

    async def _send(self, pcm: bytes, words: tuple[SpokenWord, ...], *, is_last: bool) -> None:
        chunk = SpokenChunk(
            self._key,
            self._utterance,
            self._sequence,
            self._sentence.text,
            self._sentence.begin,
            self._rate_hz,
            pcm,
            words,
            is_last=is_last,
        )
        self._sequence += 1
        try:
            await self._bus.publish(subjects.audio_out(self._key), encode_spoken(chunk))
        except BusError as error:
            metrics.UNPUBLISHED.inc()
            if not self._has_told_loss:  # once for each text
                log.warning("sound not published", reason=str(error))
            self._has_told_loss = True
