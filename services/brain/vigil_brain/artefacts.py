"""The files that a brain made: how many, how large, and whether they are what they are said to be. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from vigil.contract.artefacts import artefact_object
from vigil.core.task import MAX_ARTEFACT_BYTES, MAX_ARTEFACTS, MAX_ARTEFACTS_BYTES, Artefact
from vigil_brain.brains.port import ArtefactContent

OCTETS = "application/octet-stream"
TEXT = "text/plain"
MAX_NAME_CHARS = 100
_SIGNS = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/pdf": (b"%PDF-",),
}
_HTML = re.compile(rb"^\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_UNSAFE = re.compile(r"[^\w.\- ]")


@dataclass(frozen=True, slots=True)
class Kept:
    """The files of one task that are kept, with their bytes, and how many were left out."""

    artefacts: tuple[Artefact, ...] = ()
    contents: tuple[bytes, ...] = field(default=(), repr=False)
    left_out: int = 0


def keep(tenant: str, task: str, made: Sequence[ArtefactContent]) -> Kept:
    """The files that are within the bounds, in their order; a file that is too large makes no other one go."""
    artefacts: list[Artefact] = []
    contents: list[bytes] = []
    room = MAX_ARTEFACTS_BYTES
    for file in made:
        size = len(file.content)
        if len(artefacts) == MAX_ARTEFACTS or not 0 < size <= min(MAX_ARTEFACT_BYTES, room):
            continue
        room -= size
        name = artefact_object(tenant, task, len(artefacts))
        artefacts.append(Artefact(file_name(file.name), checked_type(file.media_type, file.content), size, name))
        contents.append(file.content)
    return Kept(tuple(artefacts), tuple(contents), len(made) - len(artefacts))


def file_name(name: str) -> str:
    """A name that is safe in a header and on any disk; never empty, never a path."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return _UNSAFE.sub("_", last).strip(" .")[:MAX_NAME_CHARS] or "file"


def checked_type(declared: str, content: bytes) -> str:
    """The declared media type where the bytes are of it; else `application/octet-stream`, which is only downloaded."""
    kind = declared.partition(";")[0].strip().lower()
    return kind if _is(kind, content) else OCTETS


def _is(kind: str, content: bytes) -> bool:
    if kind in _SIGNS:
        return content.startswith(_SIGNS[kind])
    match kind:
        case "image/webp":
            return content[:4] == b"RIFF" and content[8:12] == b"WEBP"
        case "text/html":
            return _is_text(content) and _HTML.match(content[:4_096]) is not None
        case "application/json":
            return _is_json(content)
        case "text/plain":
            return _is_text(content)
    return False


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def _is_json(content: bytes) -> bool:
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        return False
    return True
