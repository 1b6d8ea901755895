"""Plays one text: its sentences are made one ahead of the one that is heard, and their sound is published as it is to
be played, a little ahead of time. So whoever listens has hardly anything left to play when the voice has to stop.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from vigil.core.sound import SAMPLE_BYTES
from vigil_tts.synthesizers.port import Synthesizer, Task
from vigil_tts.text.sentences import Sentence, sentences
from vigil_tts.text.spoken import spoken
from vigil_tts.word_times import USUAL_PACE, TimedWord, Word, begun, heard_until, weight, word_shares

LEAD_S = 0.14  # of sound, at most, that is published before it is to be heard: nobody can take it back
PIECE_S = 0.06
MAX_SENTENCES_AHEAD = 2  # the one that is heard, and the next


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of sound to be published, and the words of the sentence that begin in it."""

    sentence: Sentence
    words: tuple[TimedWord, ...]
    pcm: bytes
    sample_rate_hz: int

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / SAMPLE_BYTES / self.sample_rate_hz


@dataclass(slots=True)
class _SentenceSound:
    """The sound of a sentence, while it is made."""

    sentence: Sentence
    pcm: bytearray = field(default_factory=bytearray)
    sample_rate_hz: int = 0
    is_whole: bool = False
    taken: int = 0  # bytes that were published
    words: tuple[Word, ...] = ()
    told: int = 0  # words that were published

    @property
    def seconds(self) -> float:
        return len(self.pcm) / SAMPLE_BYTES / self.sample_rate_hz if self.sample_rate_hz else 0.0

    @property
    def taken_s(self) -> float:
        return self.taken / SAMPLE_BYTES / self.sample_rate_hz if self.sample_rate_hz else 0.0

    def whole_s(self, pace: float) -> float:
        """How long all of it is, or will be."""
        return self.seconds if self.is_whole else max(self.seconds, weight(self.sentence.text) / pace)


Publish = Callable[[Piece], Awaitable[None]]


class Player:
    """Plays `text` once. `task` says with which voice; its own text is not read. `on_sound` is called when the first
    piece is about to be published."""

    def __init__(
        self, engine: Synthesizer, text: str, task: Task, publish: Publish, on_sound: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._text = text
        self._task = task
        self._publish = publish
        self._on_sound = on_sound
        self._sounds: list[_SentenceSound] = []
        self._is_all_made = False
        self._changed = asyncio.Event()
        self._ahead = asyncio.Semaphore(MAX_SENTENCES_AHEAD)
        self._may_play = asyncio.Event()
        self._may_play.set()
        self._published_s = 0.0
        self._began = 0.0  # when the sound that was published began, pauses and gaps left out
        self._pace = USUAL_PACE * task.speed

    @property
    def has_sound(self) -> bool:
        """Whether any of it was published."""
        return self._published_s > 0

    @property
    def unplayed_s(self) -> float:
        """How much of what was published is still to be heard."""
        return max(0.0, self._published_s - (time.monotonic() - self._began)) if self.has_sound else 0.0

    @property
    def heard(self) -> str:
        """The part of the text that has been heard by now."""
        played_s = self._published_s - self.unplayed_s
        end = 0
        for sound in self._sounds:
            if not sound.taken:
                break
            part_s = min(played_s, sound.taken_s)
            is_played = sound.is_whole and sound.taken >= len(sound.pcm) and part_s >= sound.taken_s - 0.001
            whole_s = sound.whole_s(self._pace)
            inner = len(sound.sentence.text) if is_played else heard_until(sound.words, part_s, whole_s)
            if inner:
                end = sound.sentence.begin + inner
            played_s -= part_s
        return self._text[:end].rstrip()

    def pause(self) -> None:
        """Publish no more for now."""
        self._may_play.clear()

    def resume(self) -> None:
        """Go on where it paused."""
        self._may_play.set()

    async def run(self) -> None:
        """Play all of it, until the last sound has been heard. Raises `SynthesizerError`, and whatever `publish`
        raises. A text without anything to say has no sound and ends at once."""
        making = asyncio.create_task(self._make())
        try:
            await self._play(making)
            await asyncio.sleep(self.unplayed_s)
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def _make(self) -> None:
        """Ask the engine for one sentence after the other."""
        try:
            for sentence in sentences(self._text):
                read = spoken(sentence.text, self._task.language)
                if read:
                    await self._ahead.acquire()
                    await self._make_sentence(sentence, read)
        finally:
            self._is_all_made = True
            self._changed.set()

    async def _make_sentence(self, sentence: Sentence, read: str) -> None:
        sound = _SentenceSound(sentence, words=word_shares(sentence.text))
        self._sounds.append(sound)
        task = Task(read, self._task.voice, self._task.speed, self._task.language)
        async with aclosing(self._engine.speak(task)) as pieces:
            async for piece in pieces:
                sound.sample_rate_hz = piece.sample_rate_hz
                sound.pcm += piece.pcm
                self._changed.set()
        sound.is_whole = True
        if sound.seconds:
            self._pace = weight(sentence.text) / sound.seconds
        self._changed.set()

    async def _play(self, making: asyncio.Task[None]) -> None:
        number = 0
        while True:
            if number < len(self._sounds):
                sound = self._sounds[number]
                if sound.taken < len(sound.pcm):
                    await self._play_piece(sound)
                    continue
                if sound.is_whole:
                    self._ahead.release()
                    number += 1
                    continue
            if making.done() or self._is_all_made:
                await making  # raises what ended it
                if number >= len(self._sounds):
                    return
                continue
            self._changed.clear()
            await self._changed.wait()

    async def _play_piece(self, sound: _SentenceSound) -> None:
        if not self._may_play.is_set():
            await self._may_play.wait()
        ahead_s = self._published_s - (time.monotonic() - self._began)
        if self.has_sound and ahead_s > LEAD_S - PIECE_S:
            await asyncio.sleep(ahead_s - (LEAD_S - PIECE_S))
            return  # it may have been paused meanwhile
        size = int(sound.sample_rate_hz * PIECE_S) * SAMPLE_BYTES
        pcm = bytes(sound.pcm[sound.taken : sound.taken + size])
        end_s = sound.taken_s + len(pcm) / SAMPLE_BYTES / sound.sample_rate_hz
        words = begun(sound.words[sound.told :], sound.taken_s, end_s, sound.whole_s(self._pace))
        piece = Piece(sound.sentence, words, pcm, sound.sample_rate_hz)
        if not self.has_sound:
            self._on_sound()
        if not self.unplayed_s:  # the first piece, or one after a gap: listeners play it as it comes
            self._began = time.monotonic() - self._published_s
        sound.taken += len(pcm)
        sound.told += len(words)
        self._published_s += piece.seconds
        await self._publish(piece)
