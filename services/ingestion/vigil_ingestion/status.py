"""Ingestion's status of a session, for people to read: short JSON that is kept with the session."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import msgspec

from vigil_ingestion.faults import SourceError
from vigil_ingestion.media import MediaInfo


class Watching(StrEnum):
    """Where a session's source is."""

    OPENING = "opening"
    WATCHING = "watching"
    RECONNECTING = "reconnecting"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Status:
    """`detail` is a sentence; `source` what the camera says it is; `fault` and `retry_s` while it is reconnecting."""

    state: Watching
    worker: str
    detail: str = ""
    source: MediaInfo | None = None
    fault: str = ""
    failures: int = 0
    retry_s: float = 0.0

    def as_json(self) -> str:
        """As JSON, without empty fields."""
        return msgspec.json.encode({name: value for name, value in asdict(self).items() if value}).decode()


def reconnecting(worker: str, error: SourceError, failures: int, retry_s: float) -> Status:
    """The status after a source failed."""
    return Status(Watching.RECONNECTING, worker, error.message, None, error.fault.value, failures, round(retry_s, 2))


def is_at_work(text: str, other_than: str) -> bool:
    """Whether the stored status is that of another worker, which has opened the source or failed to."""
    try:
        said = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError:
        return False
    return said.get("worker") != other_than and said.get("state") != Watching.OPENING
