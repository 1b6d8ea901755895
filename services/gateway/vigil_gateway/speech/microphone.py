"""A client's microphone: its sound is cut into chunks, each with its capture time. Pure but for its name."""

import secrets
from dataclasses import dataclass, field

from vigil.contract.audio import AudioChunk
from vigil.core.hearing import Origin
from vigil.core.ids import SessionKey
from vigil.core.sound import chunk_bytes, is_whole, length_us
from vigil.core.sound_cutter import Cutter
from vigil_gateway.api.errors import SoundRefused

MAX_SOUND_MS = 1_000  # in one message
MAX_SOUND_BYTES = chunk_bytes(MAX_SOUND_MS)
AHEAD_US = 3_000_000  # sound that comes faster than it can have been recorded


@dataclass(slots=True)
class MicrophoneSound:
    """The sound of one connection. `is_addressed` goes with all that comes from now on."""

    key: SessionKey
    is_addressed: bool = False
    stream: str = field(default_factory=lambda: f"microphone-{secrets.token_hex(8)}")
    _cutter: Cutter = field(default_factory=Cutter)
    _sequence: int = 0

    def chunks(self, pcm: bytes, now_us: int) -> tuple[AudioChunk, ...]:
        """The chunks that are whole once this sound came, which ended now. Raises `SoundRefused`."""
        if not is_whole(pcm, MAX_SOUND_BYTES):
            raise SoundRefused(
                f"{len(pcm):,} bytes: give whole samples of 16 bits, at most {MAX_SOUND_MS:,} ms of them"
            )
        if (self._cutter.until_us or 0) - now_us > AHEAD_US:
            raise SoundRefused("sound comes faster than it can have been recorded: send it as it is recorded")
        self._cutter, pieces = self._cutter.step(now_us - length_us(len(pcm)), pcm)
        begin = self._sequence
        self._sequence += len(pieces)
        return tuple(
            AudioChunk(
                self.key, Origin.MICROPHONE, self.stream, begin + at, piece.time_us, piece.pcm, self.is_addressed
            )
            for at, piece in enumerate(pieces)
        )
