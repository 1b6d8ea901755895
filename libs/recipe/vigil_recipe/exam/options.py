"""The options of `vigil eval`, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from vigil_client.errors import ClientError

Chosen = TypeVar("Chosen", bound=StrEnum)


class Pace(StrEnum):
    """How fast the episodes are played."""

    ACCELERATED = "accelerated"
    REAL_TIME = "real-time"


@dataclass(frozen=True, slots=True)
class ExamOptions:
    """The options of `vigil eval`, as they were given."""

    seed: int
    episodes: int
    scenarios: tuple[str, ...]
    pace: str
    baselines: bool
    at_once: int
    split: str
    out: Path
    model_dir: Path
    data_dir: Path
    benchmark: str = ""
    annotations: Path | None = None
    videos: Path | None = None


def parse_choice(kind: type[Chosen], value: str, option: str) -> Chosen:
    """The member of an enumeration that an option names. Raises `ClientError`."""
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(member.value for member in kind)
        raise ClientError(f"{option} is {value!r}", f"give one of: {allowed}") from None
