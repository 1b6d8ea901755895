"""A client's microphone: its sound is cut into chunks, each with its capture time. Pure but for its name.

Sound is no request, so the rate of a key's requests does not count it. It is counted here: of one connection no more is
taken than can have been recorded, in no more messages than anybody needs. How many connections a tenant has is bounded
as its live streams are.
"""

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
AHEAD_US = 3_000_000  # of sound that may come at once, as after a network that stood still
_DRIFT = 50  # the clock of a microphone may be fast by one part in so many
MESSAGES_S = 200  # messages of sound a second, of which 10 to 50 are usual
_MESSAGE_US = 1_000_000 // MESSAGES_S


@dataclass(slots=True)
class MicrophoneSound:
    """The sound of one connection. `is_addressed` goes with all that comes from now on."""

    key: SessionKey
    is_addressed: bool = False
    stream: str = field(default_factory=lambda: f"microphone-{secrets.token_hex(8)}")
    _cutter: Cutter = field(default_factory=Cutter)
    _sequence: int = 0
    _sound_us: int = 0  # the time for which all that came would have been recorded, and
    _message_us: int = 0  # for which so many messages would have been sent

    def chunks(self, pcm: bytes, now_us: int) -> tuple[AudioChunk, ...]:
        """The chunks that are whole once this sound came, which ended now. Raises `SoundRefused`."""
        if not is_whole(pcm, MAX_SOUND_BYTES):
            raise SoundRefused(
                f"{len(pcm):,} bytes: give whole samples of 16 bits, at most {MAX_SOUND_MS:,} ms of them"
            )
        self._count(pcm, now_us)
        self._cutter, pieces = self._cutter.step(now_us - length_us(len(pcm)), pcm)
        begin = self._sequence
        self._sequence += len(pieces)
        return tuple(
            AudioChunk(
                self.key, Origin.MICROPHONE, self.stream, begin + at, piece.time_us, piece.pcm, self.is_addressed
            )
            for at, piece in enumerate(pieces)
        )

    def _count(self, pcm: bytes, now_us: int) -> None:
        """Take the message, or raise `SoundRefused`: over any time no more sound comes than the time lasts, and
        `AHEAD_US`. A clock that was set back begins anew."""
        is_set_back = max(self._sound_us, self._message_us) - now_us > AHEAD_US
        sound_us, message_us = (0, 0) if is_set_back else (self._sound_us, self._message_us)
        length = length_us(len(pcm))
        sound_us = max(now_us, sound_us) + length - length // _DRIFT
        message_us = max(now_us, message_us) + _MESSAGE_US
        if sound_us - now_us > AHEAD_US:
            raise SoundRefused("sound comes faster than it can have been recorded: send it as it is recorded")
        if message_us - now_us > AHEAD_US:
            raise SoundRefused(f"more than {MESSAGES_S} messages of sound a second: send 20 to 100 ms in each")
        self._sound_us, self._message_us = sound_us, message_us
