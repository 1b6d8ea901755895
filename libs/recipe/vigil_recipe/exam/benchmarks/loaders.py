"""Annotation files of public benchmarks as cases that can be played, for those who have the videos.

StreamingBench, Proactive Output (arXiv 2411.03628): an instruction at one time, the moment at which it asks to speak.
OVO-Bench, forward tasks (arXiv 2501.05510): REC counts repetitions, SSR tells when a step is carried out, CRR answers
once the clue has come; each with a list of probes, a time and what is right then.
OVO-Bench, backward and real-time tasks: a question with lettered options at one time, about what was or is to be seen.
RIVER, Retro-Memory (arXiv 2603.03985): see ``river``.

Bad files are refused whole, by file and record: scores over half a benchmark would not be comparable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from vigil_recipe.exam.benchmarks.cases import LETTERS, BenchmarkCase, Probe, Task, choice_case
from vigil_recipe.exam.benchmarks.fields import BadAnnotations, check_order, checked, plain_text, seconds, video_file
from vigil_recipe.exam.benchmarks.river import retro_memory


class Benchmark(StrEnum):
    """The benchmarks whose annotation files are read."""

    STREAMINGBENCH_PO = "streamingbench-po"
    OVO_FORWARD = "ovo-forward"
    OVO_CHOICE = "ovo-choice"
    RIVER_MEMORY = "river-memory"


_Maker = Callable[[Mapping[str, Any], str, Path], "list[BenchmarkCase]"]


def load(benchmark: Benchmark, annotations: Path, videos: Path) -> tuple[BenchmarkCase, ...]:
    """All cases of a file. Raises `BadAnnotations`; also when a video that a record names is not in ``videos``."""
    try:
        data = json.loads(annotations.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadAnnotations(f"{annotations}: cannot be read as JSON ({error})") from None
    if not isinstance(data, list):
        raise BadAnnotations(f"{annotations}: holds no list of records; give the file that the benchmark publishes")
    cases = tuple(_READERS[benchmark](annotations, data, videos))
    if not cases:
        raise BadAnnotations(f"{annotations}: holds no record of {benchmark.value}; is it another benchmark's file?")
    missing = sorted({case.video.name for case in cases if not case.video.is_file()})
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise BadAnnotations(f"{annotations}: {', '.join(missing[:3])}{more} not in {videos}: give their folder")
    return cases


def _streamingbench(file: Path, data: Sequence[Any], videos: Path) -> Iterator[BenchmarkCase]:
    """Questions lie in lists below the video that they are about, which some versions nest once more."""
    for number, (video, record) in enumerate(_questions(data, ""), start=1):
        if record.get("task_type") == "Proactive Output":
            yield checked(f"{file}: record {number}", partial(_proactive, record, video, number, videos))


def _questions(node: object, video: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(node, list):
        for child in node:
            yield from _questions(child, video)
    elif isinstance(node, dict):
        name = str(node.get("video_path", video))
        if "task_type" in node:
            yield name, node
        else:
            yield from _questions(list(node.get("questions", ())), name)


def _proactive(record: Mapping[str, Any], video: str, number: int, videos: Path) -> BenchmarkCase:
    ask_s, expected_s = seconds(record["time_stamp"]), seconds(record["ground_truth_time_stamp"])
    check_order(ask_s, expected_s, "ground_truth_time_stamp")
    return BenchmarkCase(
        record=f"PO {number}",
        task=Task.PROACTIVE,
        video=video_file(video, videos),
        instruction=plain_text(record["question"]),
        ask_s=ask_s,
        expected_s=expected_s,
        answer=str(record["ground_truth_output"]),
    )


def _ovo(makers: Mapping[str, _Maker], file: Path, data: Sequence[Any], videos: Path) -> Iterator[BenchmarkCase]:
    for number, record in enumerate(data, start=1):
        place = f"{file}: record {number}"
        if not isinstance(record, dict):
            raise BadAnnotations(f"{place}: is no object")
        maker = makers.get(str(record.get("task")))
        if maker is not None:
            name = f"{record['task']} {record.get('id', number)}"
            yield from checked(place, partial(maker, record, name, videos))


def _repetitions(record: Mapping[str, Any], name: str, videos: Path) -> list[BenchmarkCase]:
    probes = tuple(Probe(seconds(probe["realtime"]), int(probe["count"])) for probe in record["test_info"])
    instruction = f"Count every time the person in the video performs this action: {plain_text(record['activity'])}."
    return [_case(record, name, videos, Task.REPETITIONS, instruction, 0.0, probes)]


def _steps(record: Mapping[str, Any], name: str, videos: Path) -> list[BenchmarkCase]:
    by_step: dict[str, list[Probe]] = {}
    for probe in record["test_info"]:
        by_step.setdefault(plain_text(probe["step"]), []).append(Probe(seconds(probe["realtime"]), int(probe["type"])))
    return [
        _case(
            record,
            f"{name}, {step}",
            videos,
            Task.STEP,
            f"Tell me while this step is carried out: {step}.",
            0.0,
            probes,
        )
        for step, probes in by_step.items()
    ]


def _clue(record: Mapping[str, Any], name: str, videos: Path) -> list[BenchmarkCase]:
    ask_s, clue_s = seconds(record["ask_time"]), seconds(record["clue_time"])
    check_order(ask_s, clue_s, "clue_time")
    probes = [Probe(seconds(probe["realtime"]), int(probe["type"])) for probe in record["test_info"]]
    return [_case(record, name, videos, Task.CLUE, plain_text(record["question"]), ask_s, probes, clue_s)]


def _choice(record: Mapping[str, Any], name: str, videos: Path) -> list[BenchmarkCase]:
    options, right = tuple(plain_text(option) for option in record["options"]), int(record["gt"])
    if not 0 <= right < len(options) <= len(LETTERS):
        raise ValueError(
            f"gt is {right} of {len(options)} options: it counts from 0, and there are {len(LETTERS)} at most"
        )
    path, asked = video_file(str(record["video"]), videos), plain_text(record["question"])
    return [choice_case(name, Task(record["task"]), path, asked, seconds(record["realtime"]), options, right)]


def _case(
    record: Mapping[str, Any],
    name: str,
    videos: Path,
    task: Task,
    instruction: str,
    ask_s: float,
    probes: Sequence[Probe],
    expected_s: float | None = None,
) -> BenchmarkCase:
    if not probes:
        raise ValueError("test_info is empty")
    in_time = tuple(sorted(probes, key=lambda probe: probe.time_s))
    answer = str(record.get("answer", ""))
    return BenchmarkCase(
        name, task, video_file(str(record["video"]), videos), instruction, ask_s, expected_s, answer, in_time
    )


_FORWARD: Mapping[str, _Maker] = {"REC": _repetitions, "SSR": _steps, "CRR": _clue}
_READERS: Mapping[Benchmark, Callable[[Path, Sequence[Any], Path], Iterator[BenchmarkCase]]] = {
    Benchmark.STREAMINGBENCH_PO: _streamingbench,
    Benchmark.OVO_FORWARD: partial(_ovo, _FORWARD),
    Benchmark.OVO_CHOICE: partial(_ovo, {task.value: _choice for task in Task if task.is_choice and not task.age_s}),
    Benchmark.RIVER_MEMORY: retro_memory,
}
