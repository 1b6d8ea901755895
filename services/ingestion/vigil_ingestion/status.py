"""Ingestion's status of a session, for people to read: short JSON that is kept with the session."""

from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

import msgspec

from vigil.contract.unreadable import UNREADABLE
from vigil_ingestion.camera_clock import ClockFault, ClockNotice
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
    """`detail` is a sentence; `source` what the camera says it is; `retry_s` while it is reconnecting.

    `fault` is what is wrong: while it is reconnecting that of the source; while it is watched that of its time stamps,
    `clock_drift` (`drift_percent`) or `clock_jump` (`jump_s`), with which it is watched all the same.
    """

    state: Watching
    worker: str
    detail: str = ""
    source: MediaInfo | None = None
    fault: str = ""
    failures: int = 0
    retry_s: float = 0.0
    drift_percent: float = 0.0
    jump_s: float = 0.0

    def as_json(self) -> str:
        """As JSON, without empty fields."""
        return msgspec.json.encode({name: value for name, value in asdict(self).items() if value}).decode()


def reconnecting(worker: str, error: SourceError, failures: int, retry_s: float) -> Status:
    """The status after a source failed."""
    return Status(Watching.RECONNECTING, worker, error.message, None, error.fault.value, failures, round(retry_s, 2))


def watching(worker: str, source: MediaInfo | None, complaint: str, clock: ClockNotice | None) -> Status:
    """The status while pictures come: what is damaged, and what is wrong with the time stamps."""
    status = Status(Watching.WATCHING, worker, complaint, source)
    if clock is None:
        return status
    status = replace(status, detail="; ".join(filter(None, (complaint, clock.detail))), fault=clock.fault.value)
    if clock.fault is ClockFault.DRIFT:
        return replace(status, drift_percent=clock.figure)
    return replace(status, jump_s=clock.figure)


def is_at_work(text: str, other_than: str) -> bool:
    """Whether the stored status is that of another worker, which has opened the source or failed to."""
    said = _read(text)
    return said is not None and said.get("worker") != other_than and said.get("state") != Watching.OPENING


def is_taken(text: str, other_than: str) -> bool:
    """Whether the stored status is that of another worker."""
    said = _read(text)
    return said is not None and said.get("worker") != other_than


def _read(text: str) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except UNREADABLE:
        return None
