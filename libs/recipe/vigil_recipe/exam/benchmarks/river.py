"""RIVER's memory questions as cases (arXiv 2603.03985; ``annotations/Retro-Memory.json`` of OpenGVLab/RIVER).

The file is one list of records. A record is a question with options "(A) …" at ``question_time``, about what its video
showed in the span ``time_reference``; ``question_type`` names how long ago that was. The same questions are asked at
four ages (the published file: 372 questions, each at 15 to 30 s, 30 to 60 s, 5 to 15 min and 30 to 60 min).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vigil_recipe.exam.benchmarks.cases import LETTERS, BenchmarkCase, Task, choice_case
from vigil_recipe.exam.benchmarks.fields import BadAnnotations, checked, plain_text, seconds, video_file

_TASKS = {task.value: task for task in Task if task.age_s is not None}
_LETTERED = re.compile(r"\(([A-Z])\)\s*(.+)", re.DOTALL)


def retro_memory(file: Path, data: Sequence[Any], videos: Path) -> Iterator[BenchmarkCase]:
    """The records about the past, in the file's order. Those of RIVER's other tasks are passed over."""
    for number, record in enumerate(data, start=1):
        place = f"{file}: record {number}"
        if not isinstance(record, dict):
            raise BadAnnotations(f"{place}: is no object")
        task = _TASKS.get(str(record.get("question_type")))
        if task is not None:
            yield checked(place, partial(_question, record, task, videos))


def _question(record: Mapping[str, Any], task: Task, videos: Path) -> BenchmarkCase:
    options = [_option(number, choice) for number, choice in enumerate(record["choices"])]
    letter = plain_text(record["correct_answer"])
    if letter not in list(LETTERS[: len(options)]):
        raise ValueError(f"correct_answer is {letter!r}: it is the letter of one of the {len(options)} choices")
    asked_s = seconds(record["question_time"])
    _check_age(task, asked_s, record["time_reference"])
    return choice_case(
        f"{task.value} {plain_text(record['question_id'])}",
        task,
        video_file(str(record["video_path"]), videos),
        plain_text(record["question"]),
        asked_s,
        tuple(options),
        LETTERS.index(letter),
    )


def _option(number: int, choice: object) -> str:
    """An option without its letter, which has to be the one of its place."""
    found = _LETTERED.fullmatch(plain_text(choice))
    if found is None or found[1] != LETTERS[number : number + 1]:
        raise ValueError(f"choice {number + 1} is {choice!r}: it begins with its letter, ({LETTERS[:1]}) the first")
    return found[2]


def _check_age(task: Task, asked_s: float, reference: object) -> None:
    """The end of what is asked about, the second time, lies as long before the question as the task's name says.

    The published file has two spans whose first time is the later one, so nothing is asked of that one.
    """
    if not isinstance(reference, list) or len(reference) != 2:
        raise ValueError(f"time_reference is {reference!r}: it is a list of two times, the beginning and the end")
    (_, ends_s), (least_s, most_s) = map(seconds, reference), task.age_s or (0.0, 0.0)
    if not least_s <= asked_s - ends_s <= most_s:
        raise ValueError(
            f"question_time is {asked_s:g} s, {asked_s - ends_s:g} s after the end of time_reference: {task.value} is "
            f"{least_s:g} to {most_s:g} s after it"
        )
