"""The sound of a session, live from the gateway: what is being said, what is spoken with its samples, and whether
somebody speaks. One WebSocket, opened again whenever it is lost; what came in between is not repeated."""

import asyncio
import json
import random
import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from vigil_client import speech
from vigil_client.backoff import Backoff
from vigil_client.errors import BadMessage, Unavailable, Unreachable
from vigil_client.events import Connection, Lifecycle, lifecycle
from vigil_client.speech import SpeechNews, Transcript
from vigil_client.transport import Transport
from vigil_client.values import moment

_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Activity:
    """Somebody `started` to speak to the session, `stopped`, or it was a `false_start`. `origin` is source or
    microphone."""

    state: str
    time: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word's characters in the utterance's text (the first, and the one behind the last), and when it sounds, in
    milliseconds after the first sample of its piece."""

    begin_char: int
    end_char: int
    begin_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class SpokenSound:
    """A piece of what the session speaks: 16-bit little-endian mono samples, and the `sentence` that it is of, which
    begins at `sentence_begin_char` of the utterance's text. `words` begin in it. `dropped` pieces before it were left
    out, for this client was too slow."""

    utterance: str
    sequence: int
    sentence: str
    sentence_begin_char: int
    words: tuple[SpokenWord, ...]
    sample_rate_hz: int
    pcm: bytes
    is_last: bool
    dropped: int


SoundEvent = Transcript | SpeechNews | SpokenSound | Activity | Lifecycle | Connection


def read_text(message: str) -> SoundEvent | None:
    """A text message; None for a kind that tells nothing of sound or is newer than this client. Raises `BadMessage`."""
    try:
        found = json.loads(message)
        kind, data = found["type"], found.get("data")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadMessage("not a message of a session's sound") from None
    match kind:
        case "transcript":
            return speech.transcript(json.dumps(data))
        case "speech":
            return speech.speech(json.dumps(data))
        case "session":
            return lifecycle(json.dumps(data))
        case "activity":
            return _activity(data)
        case _:
            return None


def read_binary(message: bytes) -> SpokenSound:
    """A piece of what is spoken. Raises `BadMessage`."""
    try:
        begin = _LENGTH.size + _LENGTH.unpack_from(message)[0]
        header: Mapping[str, Any] = json.loads(message[_LENGTH.size : begin])
        return SpokenSound(
            utterance=header["utterance"],
            sequence=int(header["sequence"]),
            sentence=header["sentence"],
            sentence_begin_char=int(header["sentence_begin_char"]),
            words=tuple(
                SpokenWord(word["begin_char"], word["end_char"], word["begin_ms"], word["end_ms"])
                for word in header["words"]
            ),
            sample_rate_hz=int(header["sample_rate_hz"]),
            pcm=message[begin:],
            is_last=bool(header["is_last"]),
            dropped=int(header["dropped"]),
        )
    except (struct.error, ValueError, KeyError, TypeError) as error:
        raise BadMessage(f"not a piece of spoken sound ({error!r})") from None


async def listened(gateway: Transport, path: str, policy: Backoff) -> AsyncGenerator[SoundEvent, None]:
    """What the WebSocket at `path` tells, for ever. Raises `Refused`, in the gateway's words, when it may not be
    opened."""
    failures = 0
    while True:
        try:
            async for event in _connection(gateway, path):
                failures = 0
                yield event
            reason = "the gateway closed the connection"
        except (Unreachable, Unavailable) as error:
            reason = error.message
        failures += 1
        yield Connection(connected=False, reason=reason)
        await asyncio.sleep(policy.delay_s(failures, random.random()))


async def _connection(gateway: Transport, path: str) -> AsyncIterator[SoundEvent]:
    async with gateway.socket(path) as socket:
        yield Connection(connected=True)
        async for message in socket:
            event: SoundEvent | None = None
            if message.type is aiohttp.WSMsgType.TEXT:
                event = read_text(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                event = read_binary(message.data)
            if event is not None:
                yield event


def _activity(data: object) -> Activity:
    try:
        found: Mapping[str, Any] = dict(data)  # type: ignore[call-overload]
        return Activity(found["state"], moment(found["time"]), found["origin"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadMessage(f"not a voice activity of Vigil ({error!r})") from None
