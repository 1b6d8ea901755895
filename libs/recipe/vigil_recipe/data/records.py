"""The public record form, read from JSON lines or from one JSON list without holding the file in memory."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

BLOCK_CHARS = 1 << 16
OPTIONAL_TEXTS = ("video_name", "task_type", "source")


class RecordError(Exception):
    """One record cannot be used: ``number`` counts a file's records from 1, ``problem`` says what is wrong."""

    def __init__(self, file: str, number: int, problem: str) -> None:
        super().__init__(f"{file}: record {number}: {problem}")
        self.file, self.number, self.problem = file, number, problem


class BadRecords(Exception):
    """Training cannot go on with these records; the message names the file and the record.

    A loader process hands an error on as the text of its traceback, of which the last line is the message.
    """

    def __init__(self, text: str) -> None:
        last = text.strip().splitlines()[-1]
        super().__init__(last.removeprefix(f"{type(self).__module__}.{type(self).__name__}: "))


@dataclass(frozen=True, slots=True)
class Utterance:
    """A question or a response at ``time_s`` of the video."""

    content: str
    time_s: float


@dataclass(frozen=True, slots=True)
class Record:
    """One annotated video. ``file`` and ``number`` say where it was read."""

    file: str
    number: int
    video_path: str
    questions: tuple[Utterance, ...]
    responses: tuple[Utterance, ...]
    task_type: str = ""
    id: str = ""

    def error(self, problem: str) -> RecordError:
        """An error that names this record."""
        return RecordError(self.file, self.number, problem)


@dataclass(frozen=True, slots=True)
class Raw:
    """A record as it lies in its file: its JSON text. ``broken`` says why the text could not even be cut out."""

    file: str
    number: int
    text: str
    broken: str = ""


def read_raw(path: Path) -> Iterator[Raw]:
    """The records of a file, one at a time, none of them parsed into a ``Record`` yet."""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        first = file.read(1)
        while first and (first.isspace() or first == "\ufeff"):
            first = file.read(1)
        if first == "[":
            yield from _list_items(str(path), file)
        else:
            yield from _lines(str(path), file, first)


def parse(raw: Raw) -> Record:
    """The record of a raw one. Raises RecordError: not JSON, a field that is missing or of a wrong type."""
    if raw.broken:
        raise RecordError(raw.file, raw.number, raw.broken)
    try:
        value = json.loads(raw.text)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise RecordError(raw.file, raw.number, "not UTF-8, or half of a character: save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise RecordError(raw.file, raw.number, f"not JSON: {error}") from error
    return record_of(value, raw.file, raw.number)


def record_of(value: Any, file: str, number: int) -> Record:
    """A parsed JSON value as a record. Raises RecordError."""

    def wrong(problem: str) -> RecordError:
        return RecordError(file, number, problem)

    if not isinstance(value, dict):
        raise wrong(f"a record must be an object, got {_kind(value)}")
    video = value.get("video_path")
    if not isinstance(video, str) or not video:
        raise wrong(f"video_path must be a text that is not empty, got {_kind(video)}")
    for name in OPTIONAL_TEXTS:
        if not isinstance(value.get(name, ""), str):
            raise wrong(f"{name} must be a text, got {_kind(value[name])}")
    name = value.get("id", "")
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise wrong(f"id must be a text or a whole number, got {_kind(name)}")
    questions, responses = (_utterances(value, field, wrong) for field in ("question", "response"))
    return Record(file, number, video, questions, responses, value.get("task_type", ""), str(name))


def _utterances(value: dict[str, Any], field: str, wrong: Any) -> tuple[Utterance, ...]:
    items = value.get(field)
    if not isinstance(items, list):
        raise wrong(f"{field} must be a list, got {_kind(items)}")
    out = []
    for index, item in enumerate(items):
        at = f"{field}[{index}]"
        if not isinstance(item, dict):
            raise wrong(f"{at} must be an object with content and time, got {_kind(item)}")
        content, time = item.get("content"), item.get("time")
        if not isinstance(content, str):
            raise wrong(f"{at}.content must be a text, got {_kind(content)}")
        if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
            raise wrong(f"{at}.time must be a number of seconds, got {_kind(time)}")
        out.append(Utterance(content, float(time)))
    return tuple(out)


def _lines(name: str, file: TextIO, first: str) -> Iterator[Raw]:
    number = 0
    line = first + file.readline() if first not in ("\n", "") else first
    while line:
        if line.strip():
            number += 1
            yield Raw(name, number, line)
        line = file.readline()


def _list_items(name: str, file: TextIO) -> Iterator[Raw]:
    """Items of a JSON list whose opening bracket is read already. Items after a broken one cannot be found."""
    decoder, text, number = json.JSONDecoder(), "", 0
    ended = False
    while True:
        text = text.lstrip(" \t\r\n,") if number else text.lstrip()
        if text.startswith("]"):
            return
        end = _item_end(decoder, text)
        # A number at the end of the buffer may go on, so an item counts only with something after it.
        if end is not None and (end < len(text) or ended):
            number += 1
            yield Raw(name, number, text[:end])
            text = text[end:]
            continue
        block = file.read(BLOCK_CHARS)
        if not block:
            if ended or not text:
                yield Raw(name, number + 1, "", "not JSON: the list does not end properly after the record before")
                return
            ended = True
        text += block


def _item_end(decoder: json.JSONDecoder, text: str) -> int | None:
    try:
        return decoder.raw_decode(text)[1] if text else None
    except (ValueError, RecursionError):
        return None


def _kind(value: object) -> str:
    """How a JSON value is called in an error."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    if isinstance(value, str) and not value:
        return "an empty text"
    return names.get(type(value), "a number")
