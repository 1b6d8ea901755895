"""Reads the form that a transcription is asked with: a WAV file and some words.

Imported by the server, which runs without Vigil: nothing but the standard library here.
"""

import io
import wave
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP

RATE_HZ = 16_000
MAX_SECONDS = 30


class FormInvalid(ValueError):
    """The request is not what `POST /v1/audio/transcriptions` takes here."""


@dataclass(frozen=True, slots=True)
class Form:
    """`pcm` is 16-bit mono sound at `RATE_HZ`."""

    pcm: bytes
    model: str
    language: str


def read_form(content_type: str, body: bytes) -> Form:
    """The form in a request's body. Raises `FormInvalid`."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(_class=EmailMessage, policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise FormInvalid("send multipart/form-data with the fields file and model")
    fields: dict[str, bytes] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content
    return Form(pcm_of(fields.get("file", b"")), _text(fields, "model"), _text(fields, "language"))


def _text(fields: dict[str, bytes], name: str) -> str:
    return fields.get(name, b"").decode("utf-8", "replace").strip()


def pcm_of(file: bytes) -> bytes:
    """The samples of a WAV file. Raises `FormInvalid`."""
    try:
        with wave.open(io.BytesIO(file)) as sound:
            kind = sound.getnchannels(), sound.getsampwidth(), sound.getframerate()
            if kind != (1, 2, RATE_HZ):
                raise FormInvalid(
                    f"the file has {kind[0]} channels of {8 * kind[1]} bits at {kind[2]} Hz: "
                    f"send 1 of 16 bits at {RATE_HZ}"
                )
            if not 0 < sound.getnframes() <= MAX_SECONDS * RATE_HZ:
                raise FormInvalid(f"send at most {MAX_SECONDS} s of sound, and some")
            return bytes(sound.readframes(sound.getnframes()))
    except (wave.Error, EOFError):
        raise FormInvalid("the field file is no WAV file") from None
