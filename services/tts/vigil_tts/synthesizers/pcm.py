"""Bytes of an engine, as they come, into whole samples at a known rate.

An engine that is asked for raw samples may send a WAV file all the same, or a text with an error: the type that it
states and the first bytes tell.
"""

import re
import struct
from collections.abc import Mapping

from vigil.contract.audio import SPOKEN_RATES_HZ
from vigil.core.sound import SAMPLE_BYTES
from vigil_tts.synthesizers.port import Sound, SynthesizerError

MAX_HEADER_BYTES = 4_096
_RATE_HEADER = re.compile(r"sample.?rate", re.IGNORECASE)
_RATE = re.compile(r"\d{1,6}")
_RATE_PARAMETER = re.compile(r"\brate=\"?(\d{4,6})\b")
_NO_SOUND = ("text/", "application/json", "application/problem+json", "application/xml")
_COMPRESSED = ("audio/mpeg", "audio/mp3", "audio/ogg", "audio/opus", "audio/aac", "audio/flac", "audio/webm")
_PCM_FORMATS = (0x0001, 0xFFFE)


def invalid(reason: str) -> SynthesizerError:
    """What the engine sent is no sound that can be played."""
    return SynthesizerError(reason, "invalid")


class PcmReader:
    """Reads one answer. `rate_hz` is the rate of raw samples of which nothing else is said. Raises
    `SynthesizerError` for what is no mono sound of 16 bits."""

    def __init__(self, rate_hz: int, content_type: str = "", headers: Mapping[str, str] | None = None) -> None:
        kind = content_type.partition(";")[0].strip().lower()
        if kind.startswith(_NO_SOUND):
            raise invalid(f"the speech engine answered with {kind or 'a text'} where sound was asked for")
        if kind.startswith(_COMPRESSED):
            raise invalid(f"the speech engine sent {kind}: it has to send raw 16-bit samples (pcm) or WAV")
        self._rate_hz = _checked_rate(_stated_rate(content_type, headers or {}) or rate_hz)
        self._is_begun = False
        self._waiting = b""

    def take(self, data: bytes) -> Sound | None:
        """The samples that are whole by now; None while there are none."""
        data = self._waiting + data
        if not self._is_begun:
            begin = self._beginning(data)
            if begin is None:
                self._waiting = data
                return None
            self._is_begun, data = True, data[begin:]
        whole = len(data) - len(data) % SAMPLE_BYTES
        self._waiting = data[whole:]
        return Sound(data[:whole], self._rate_hz) if whole else None

    def _beginning(self, data: bytes) -> int | None:
        """Where the samples begin; None while that is not to be seen yet."""
        if len(data) < 4:
            return None
        if data[:4] != b"RIFF":
            return 0
        found = _wav_header(data)
        if found is None:
            if len(data) > MAX_HEADER_BYTES:
                raise invalid("the speech engine sent a WAV file without samples")
            return None
        begin, rate_hz = found
        self._rate_hz = _checked_rate(rate_hz)
        return begin


def _stated_rate(content_type: str, headers: Mapping[str, str]) -> int:
    """The rate that the answer's head states; 0 when it states none."""
    if found := _RATE_PARAMETER.search(content_type):
        return int(found[1])
    stated = (value for name, value in headers.items() if _RATE_HEADER.search(name) and _RATE.fullmatch(value.strip()))
    return int(next(stated, "0"))


def _checked_rate(rate_hz: int) -> int:
    if rate_hz not in SPOKEN_RATES_HZ:
        allowed = ", ".join(map(str, SPOKEN_RATES_HZ))
        raise invalid(f"the speech engine sends {rate_hz} samples a second: {allowed} can be played")
    return rate_hz


def _wav_header(data: bytes) -> tuple[int, int] | None:
    """Where the samples of a WAV file begin, and their rate; None while its head is not whole."""
    if len(data) < 12:
        return None
    if data[8:12] != b"WAVE":
        raise invalid("the speech engine sent a file that is no WAV")
    place, rate_hz = 12, 0
    while len(data) >= place + 8:
        name, size = struct.unpack_from("<4sI", data, place)
        if name == b"data":
            if not rate_hz:
                raise invalid("the speech engine sent a WAV file that does not say what it holds")
            return place + 8, rate_hz
        if name == b"fmt " and len(data) >= place + 24:
            form, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", data, place + 8)
            if form not in _PCM_FORMATS or channels != 1 or bits != 8 * SAMPLE_BYTES:
                raise invalid(f"the speech engine sent WAV of {channels} channels and {bits} bits: 1 and 16 are played")
        place += 8 + size + size % 2
    return None
