"""What travels over the WebSocket of a session's sound. Pure.

Sound is 16-bit little-endian mono samples. The client's is a binary message as it is. What the session speaks is a
binary message, too: four bytes with the length of a header (unsigned, big-endian), the header (JSON), the samples.
"""

import struct
from dataclasses import asdict
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field

from vigil.contract.audio import SpokenChunk, VoiceActivity
from vigil.contract.events.envelope import rfc3339
from vigil.core.sound import SAMPLE_RATE_HZ
from vigil_gateway.api.models.base import Flag, In
from vigil_gateway.websocket.messages import Id

_LENGTH = struct.Struct(">I")


class Microphone(In):
    """Sound follows, of these samples. `is_addressed` holds from here on: that the speaker means the session, as while
    a button is held."""

    type: Literal["microphone"]
    id: Id = None
    sample_rate_hz: Annotated[
        Literal[16_000], Field(description=f"{SAMPLE_RATE_HZ}: whoever records at another rate resamples before")
    ] = 16_000
    is_addressed: Flag = False


def read_microphone(text: str) -> Microphone:
    """One text message. Raises pydantic's `ValidationError`."""
    return Microphone.model_validate_json(text)


def accepted_text(message_id: str | int | None, stream: str) -> str:
    """The microphone is heard; `stream` is the name of its sound."""
    return _text({"type": "accepted", "id": message_id, "data": {"id": stream}})


def activity_text(activity: VoiceActivity) -> str:
    """Somebody began to speak to the session, stopped, or had not spoken at all."""
    data = {
        "state": activity.state.label,
        "time": rfc3339(activity.time_us),
        "origin": activity.origin,
        "stream": activity.stream,
    }
    return _text({"type": "activity", "data": data})


def partial_text(payload: bytes) -> str:
    """What is being said, as the CloudEvent that it came as."""
    return _text({"type": "transcript", "data": msgspec.Raw(payload)})


def spoken_bytes(chunk: SpokenChunk, dropped: int) -> bytes:
    """A piece of what the session speaks; `dropped` pieces before it were not sent, for the client was too slow."""
    header = {
        "type": "spoken",
        "utterance": chunk.utterance,
        "sequence": chunk.sequence,
        "sentence": chunk.sentence,
        "sentence_begin_char": chunk.sentence_begin_char,
        "words": [asdict(word) for word in chunk.words],
        "sample_rate_hz": chunk.sample_rate_hz,
        "is_last": chunk.is_last,
        "dropped": dropped,
    }
    encoded = msgspec.json.encode(header)
    return _LENGTH.pack(len(encoded)) + encoded + chunk.pcm


def _text(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
