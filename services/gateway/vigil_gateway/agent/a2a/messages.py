"""What another agent says: which camera to watch, and for what. Pure."""

from collections.abc import Iterable
from typing import Any, Self

from a2a.types.a2a_pb2 import Message, Part
from a2a.utils.errors import ContentTypeNotSupportedError, InvalidParamsError
from google.protobuf.json_format import MessageToDict
from pydantic import Field, model_validator

from vigil.core.instruction import MAX_INSTRUCTION_CHARS, Severity
from vigil.runtime.store.agent_tasks import AgentMessage
from vigil_gateway.agent.a2a.errors import refused
from vigil_gateway.api.models.base import In, Text, Token
from vigil_gateway.api.models.options import SourceIn

TEXT, JSON = "text/plain", "application/json"
MODES = (TEXT, JSON)
MAX_PARTS = 16
MAX_ID_CHARS = 128
EXAMPLE = '{"source": {"url": "rtsp://camera.local/stream1"}} or {"session": "s-5d0c6b6b4b1f4e7f9a3c"}'
_SEND = f"Send what to watch for as a text part, and the camera as a data part: {EXAMPLE}"


class WatchAsked(In):
    """The data part: the camera, by the address that Vigil opens or by a session that is open; and how the watch is to
    be. The text may come here or as a text part."""

    source: SourceIn | None = None
    session: str | None = Field(None, min_length=1, max_length=MAX_ID_CHARS)
    text: Text | None = None
    name: Token | None = None
    severity: Severity = Severity.WARNING

    @model_validator(mode="after")
    def _check_camera(self) -> Self:
        if (self.source is None) == (self.session is None):
            raise ValueError("name the camera: give either `source` or `session`")
        return self


def text_of(message: Message) -> str:
    """Its text parts, as one text. Raises `InvalidParamsError`, `ContentTypeNotSupportedError`."""
    _check(message)
    text = "\n".join(part.text for part in message.parts if part.HasField("text")).strip()
    if len(text) > MAX_INSTRUCTION_CHARS:
        raise refused(
            f"the message has {len(text):,} characters of text", f"Send at most {MAX_INSTRUCTION_CHARS:,}.", _INVALID
        )
    return text


def data_of(message: Message) -> dict[str, Any] | None:
    """Its data part; None when it has none."""
    found = [MessageToDict(part.data) for part in message.parts if part.HasField("data")]
    if len(found) > 1 or not all(isinstance(value, dict) for value in found):
        raise refused("the message has several data parts, or one that is no object", _SEND, _INVALID)
    return found[0] if found else None


def newest_text(messages: Iterable[AgentMessage]) -> str:
    """What the newest of the messages with a text says; empty when none has one."""
    return next((message.text for message in reversed(tuple(messages)) if message.text), "")


_INVALID = InvalidParamsError


def _check(message: Message) -> None:
    if len(message.parts) > MAX_PARTS:
        raise refused(f"the message has {len(message.parts)} parts", f"Send at most {MAX_PARTS}.", _INVALID)
    for name in ("message_id", "context_id", "task_id"):
        if len(getattr(message, name)) > MAX_ID_CHARS:
            raise refused(f"the {name} is too long", f"Send at most {MAX_ID_CHARS} characters.", _INVALID)
    for part in message.parts:
        if not _is_known(part):
            media_type = part.media_type[:80] or "a file"
            raise refused(f"{media_type!r} is not taken", _SEND, ContentTypeNotSupportedError)


def _is_known(part: Part) -> bool:
    is_file = part.HasField("raw") or part.HasField("url")
    return not is_file and part.media_type.partition(";")[0].strip().lower() in ("", *MODES)
