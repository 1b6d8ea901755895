"""From the faces of one picture after the other's to what is told: who came, and who is no longer there. Pure.

Of somebody who is not enrolled nothing is told and nothing is kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from finding import Box, Finding
from presence import Patience, Presence, look

from faces.gallery import Embedding, Gallery, Match

PATIENCE = Patience(come_looks=2, gone_s=10.0)  # one look alone may err; who turns away is still there


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture."""

    embedding: Embedding
    box: Box


class Finder(Protocol):
    """Finds faces. It takes its time, so it is called in a thread."""

    def faces(self, jpeg: bytes) -> Sequence[Face]:
        """The faces in a JPEG. Raises `OSError` for what is no picture."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Who is in a session's picture."""

    presence: Presence = field(default_factory=Presence)


def watch(watched: Watched, faces: Iterable[Face], gallery: Gallery, at_us: int) -> tuple[Watched, tuple[Finding, ...]]:
    """Take in the faces of one picture."""
    seen: dict[str, tuple[Match, Face]] = {}
    for face in faces:
        match = gallery.recognise(face.embedding)
        if match is not None and (match.name not in seen or match.distance < seen[match.name][0].distance):
            seen[match.name] = match, face
    presence, changes = look(watched.presence, seen, at_us, PATIENCE)
    findings = []
    for name in changes.came:
        match, face = seen[name]
        findings.append(Finding(f"{name} is in the picture", match.confidence, face.box))
    findings += [Finding(f"{name} is no longer in the picture") for name in changes.went if gallery.person(name)]
    return Watched(presence), tuple(findings)
