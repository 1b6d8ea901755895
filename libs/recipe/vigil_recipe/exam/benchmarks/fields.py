"""Fields of annotation files, read and checked: whatever is wrong with one is told by file and record."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d+)?)")


class BadAnnotations(ValueError):
    """The file is not what the benchmark publishes: which file, which record, what was wrong."""


def seconds(value: object) -> float:
    """A time as the benchmarks write it: seconds, ``1:23`` or ``00:01:23``. Raises ValueError."""
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is no time")
    if isinstance(value, int | float) and value >= 0:
        return float(value)
    if isinstance(value, str) and (found := _CLOCK.fullmatch(value.strip())):
        hours, minutes, rest = found.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    raise ValueError(f"{value!r} is no time: write seconds or hh:mm:ss")


def video_file(name: str, videos: Path) -> Path:
    """The file of that name below ``videos``: as the annotation has it, else by its last part alone.

    Raises ValueError where there is no name.
    """
    if not name:
        raise ValueError("no video is named")
    whole = videos / name.removeprefix("./")
    return whole if whole.is_file() else videos / Path(name).name


def plain_text(value: object) -> str:
    """One line of text that is not empty. Raises ValueError."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return " ".join(value.split())


def check_order(ask_s: float, expected_s: float, what: str) -> None:
    """Raises ValueError where the time that the field ``what`` gives is before the question's."""
    if expected_s < ask_s:
        raise ValueError(f"{what} is {expected_s:g} s, before the question at {ask_s:g} s")


def checked(place: str, make: Callable[[], Any]) -> Any:
    """What ``make`` makes; whatever a record lacks is a `BadAnnotations` that names it."""
    try:
        return make()
    except KeyError as error:
        raise BadAnnotations(f"{place}: has no field {error}") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise BadAnnotations(f"{place}: {error}") from None
