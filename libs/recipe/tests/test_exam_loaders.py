"""Annotation files of public benchmarks: good ones become cases, bad ones are named by file and record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.exam.benchmarks.cases import BenchmarkCase, Probe, Task
from vigil_recipe.exam.benchmarks.fields import BadAnnotations, seconds
from vigil_recipe.exam.benchmarks.loaders import Benchmark, load
from vigil_recipe.exam.benchmarks.scores import NO_OPTION, Spoken, benchmark_summary, chosen_option, score_case

PO = {
    "task_type": "Proactive Output",
    "question": 'When the scoreboard shows 2:1, output "goal".',
    "time_stamp": "00:00:10",
    "ground_truth_time_stamp": "00:01:23",
    "ground_truth_output": "goal",
}
CRR = {
    "id": 7,
    "task": "CRR",
    "video": "b.mp4",
    "question": "Who wins?",
    "answer": "Anna",
    "ask_time": 297,
    "clue_time": 308,
    "test_info": [{"realtime": 310, "type": 1}, {"realtime": 297, "type": 0}],
}
REC = {"id": 8, "task": "REC", "video": "b.mp4", "activity": "jumps", "start_times": [3], "end_times": [4],
       "test_info": [{"realtime": 5, "count": 1}, {"realtime": 9, "count": 2}]}  # fmt: skip
SSR = {"id": 9, "task": "SSR", "video": "b.mp4", "tutorial": "tea", "all_steps": ["boil", "pour"],
       "start_time": [1], "end_time": [5],
       "test_info": [{"realtime": 3, "step": "boil", "type": 1}, {"realtime": 8, "step": "pour", "type": 0},
                     {"realtime": 9, "step": "boil", "type": 0}]}  # fmt: skip
EPM = {"id": 1, "task": "EPM", "video": "b.mp4", "realtime": 215, "question": "What is on the table?",
       "options": ["a cup", "a red cup", "nothing"], "gt": 1}  # fmt: skip


def files(folder: Path, data: Any, *videos: str) -> tuple[Path, Path]:
    """An annotation file and a folder of (empty) videos."""
    path = folder / "annotations.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    for name in videos:
        (folder / name).write_bytes(b"")
    return path, folder


def test_streamingbench_in_both_nestings(tmp_path: Path) -> None:
    other = {"task_type": "Counting", "question": "?", "time_stamp": "0:01"}
    video = {"video_path": "./videos/a.mp4", "questions": [PO, other]}
    for data in ([video], [[video]]):
        (case,) = load(Benchmark.STREAMINGBENCH_PO, *files(tmp_path, data, "a.mp4"))
        assert (case.task, case.video, case.ask_s, case.expected_s) == (Task.PROACTIVE, tmp_path / "a.mp4", 10, 83)
        assert (case.instruction, case.answer, case.end_s) == (PO["question"], "goal", 87)


def test_ovo_forward_tasks_and_no_others(tmp_path: Path) -> None:
    cases = load(Benchmark.OVO_FORWARD, *files(tmp_path, [EPM, CRR, REC, SSR], "b.mp4"))
    assert [(one.record, one.task) for one in cases] == [
        ("CRR 7", Task.CLUE),
        ("REC 8", Task.REPETITIONS),
        ("SSR 9, boil", Task.STEP),
        ("SSR 9, pour", Task.STEP),
    ]
    clue, count, boil, pour = cases
    assert (clue.ask_s, clue.expected_s, clue.answer) == (297, 308, "Anna")
    assert clue.probes == (Probe(297, 0), Probe(310, 1)), "in time order"
    assert (count.probes, count.end_s) == ((Probe(5, 1), Probe(9, 2)), 13)
    assert (boil.probes, pour.probes) == ((Probe(3, 1), Probe(9, 0)), (Probe(8, 0),))


def test_ovo_choices_of_every_task_and_no_others(tmp_path: Path) -> None:
    tasks = ["EPM", "ASI", "HLD", "STU", "OJR", "ATR", "ACR", "OCR", "FPD"]
    records = [CRR, *({**EPM, "task": task} for task in tasks)]
    cases = load(Benchmark.OVO_CHOICE, *files(tmp_path, records, "b.mp4"))
    assert [one.task.value for one in cases] == tasks
    first = cases[0]
    assert first.instruction == (
        "What is on the table? A. a cup B. a red cup C. nothing Answer with the letter of the right option."
    )
    assert (first.record, first.ask_s, first.end_s) == ("EPM 1", 215, 225)
    assert (first.answer, first.probes, first.options) == ("B", (Probe(215, 1),), ("a cup", "a red cup", "nothing"))


@pytest.mark.parametrize(
    ("benchmark", "data", "said"),
    [
        (Benchmark.OVO_CHOICE, [CRR], "no record of ovo-choice"),
        (Benchmark.OVO_CHOICE, [{**EPM, "gt": 3}], "record 1: gt is 3 of 3 options: it counts from 0"),
        (Benchmark.OVO_CHOICE, [EPM, {**EPM, "options": ["a", " "]}], "record 2: ' ' is no text"),
        (Benchmark.OVO_CHOICE, [{**EPM, "realtime": "late"}], "record 1: 'late' is no time"),
        (Benchmark.OVO_FORWARD, "{", "cannot be read as JSON"),
        (Benchmark.OVO_FORWARD, {"a": 1}, "no list of records"),
        (Benchmark.OVO_FORWARD, [EPM], "no record of ovo-forward"),
        (Benchmark.OVO_FORWARD, ["x"], "record 1: is no object"),
        (Benchmark.OVO_FORWARD, [CRR, {**CRR, "clue_time": 3}], "record 2: clue_time is 3 s, before the question"),
        (Benchmark.OVO_FORWARD, [{**REC, "test_info": []}], "record 1: test_info is empty"),
        (Benchmark.OVO_FORWARD, [{**REC, "test_info": 5}], "record 1"),
        (Benchmark.OVO_FORWARD, [{**REC, "activity": " "}], "' ' is no text"),
        (Benchmark.OVO_FORWARD, [{**CRR, "video": "lost.mp4"}], "lost.mp4 not in"),
        (Benchmark.STREAMINGBENCH_PO, [{"video_path": "b.mp4", "questions": [{**PO, "time_stamp": "soon"}]}],
         "record 1: 'soon' is no time"),
        (Benchmark.STREAMINGBENCH_PO, [{"questions": [PO]}], "no video is named"),
        (Benchmark.STREAMINGBENCH_PO, [{"video_path": "b.mp4", "questions": [{"task_type": "Proactive Output"}]}],
         "record 1: has no field 'time_stamp'"),
        (Benchmark.STREAMINGBENCH_PO, [CRR], "no record of streamingbench-po"),
    ],
)  # fmt: skip
def test_bad_files_are_named(tmp_path: Path, benchmark: Benchmark, data: Any, said: str) -> None:
    path, videos = files(tmp_path, data, "b.mp4")
    with pytest.raises(BadAnnotations) as refused:
        load(benchmark, path, videos)
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadAnnotations, match="cannot be read"):
        load(Benchmark.OVO_FORWARD, tmp_path / "none.json", tmp_path)


@given(st.integers(0, 9), st.integers(0, 59), st.integers(0, 59))
def test_clocks(hours: int, minutes: int, rest: int) -> None:
    whole = hours * 3600 + minutes * 60 + rest
    assert seconds(f"{hours:02}:{minutes:02}:{rest:02}") == seconds(whole) == whole


@pytest.mark.parametrize("value", [True, -1, "1:2:3:4", "", None, [1]])
def test_no_clocks(value: object) -> None:
    with pytest.raises(ValueError, match="no time"):
        seconds(value)


def case(task: Task, **more: Any) -> BenchmarkCase:
    return BenchmarkCase(task.value, task, Path("a.mp4"), "Watch.", 10.0, **more)


@pytest.mark.parametrize(("times", "right"), [([81.0], True), ([85.0], True), ([86.0], False), ([], False),
                                              ([40.0, 83.0], False), ([5.0, 83.0], True)])  # fmt: skip
def test_proactive_output_is_its_first_utterance(times: list[float], right: bool) -> None:
    found = score_case(case(Task.PROACTIVE, expected_s=83.0), [Spoken(time, "goal") for time in times])
    assert found.right == (right,)


def test_ovo_probes_are_answered_by_what_was_said() -> None:
    count = case(Task.REPETITIONS, probes=(Probe(12, 0), Probe(20, 1), Probe(30, 3)))
    said = [Spoken(15, "1."), Spoken(25, "That was number 2.")]
    assert score_case(count, said).right == (True, True, False)
    clue = case(Task.CLUE, expected_s=20.0, probes=(Probe(12, 0), Probe(25, 1)))
    assert score_case(clue, [Spoken(21, "Anna")]).right == (True, True)
    assert score_case(clue, [Spoken(21, "Anna")]).error_s == 1.0
    step = case(Task.STEP, probes=(Probe(12, 1), Probe(18, 0)))
    assert score_case(step, [Spoken(11, "Boiling.")]).right == (True, True)
    assert score_case(step, [Spoken(17, "Boiling.")]).right == (False, False)


CUPS = ("a cup", "a red cup", "nothing")


@pytest.mark.parametrize(
    ("answer", "options", "option"),
    [
        *(("B", CUPS, 1), ("b", CUPS, 1), ("(b)", CUPS, 1), ("B.", CUPS, 1), ("B because it is red", CUPS, 1)),
        *(("A", CUPS, 0), ("(A)", CUPS, 0), ("A\na cup", CUPS, 0), ("A: it was left there", CUPS, 0)),
        *(("The answer is C: nothing.", CUPS, 2), ("The answer is A because of the cup", CUPS, 0)),
        *(("Option A is correct.", CUPS, 0), ("Answer: (c)", CUPS, 2), ("option is a", CUPS, 0)),
        *(("A red cup.", CUPS, 1), ("a cup", CUPS, 0), ("There is nothing.", CUPS, 2), ("b. a red cup", CUPS, 1)),
        *(("I see a cup, I think.", CUPS, 0), ("I see a red cup.", CUPS, 1)),
        *(("A cup or nothing.", CUPS, NO_OPTION), ("E", CUPS, NO_OPTION), ("A dog.", CUPS, NO_OPTION)),
        *(("", CUPS, NO_OPTION), ("Let me check.", CUPS, NO_OPTION), ("", ("...", "x"), NO_OPTION)),
        *(("Gate D", ("Gate D", "Gate A", "Gate B"), 0), ("It says Gate A.", ("Gate D", "Gate A", "Gate B"), 1)),
        *(("I do not know.", ("Yes", "No"), NO_OPTION), ("No, it is not.", ("Yes", "No"), 1)),
        *(("10 cups", ("1", "2"), NO_OPTION), ("The man scored.", ("red", "blue"), NO_OPTION)),
        *(("2", ("1", "2"), 1), ("B. 2", ("B. 2", "C. 1"), 0), ("Someone else", ("one", "two"), NO_OPTION)),
    ],
)
def test_a_choice_is_its_words_or_its_letter(answer: str, options: tuple[str, ...], option: int) -> None:
    assert chosen_option(answer, options) == option


def test_a_choice_is_the_first_words_within_ten_seconds_that_name_an_option() -> None:
    asked = case(Task.EPISODIC_MEMORY, probes=(Probe(10, 1),), options=("a", "b", "c"))
    assert score_case(asked, [Spoken(12, "Let me check."), Spoken(15, "B"), Spoken(16, "C")]).right == (True,)
    assert score_case(asked, [Spoken(9, "B")]).right == (True,), "it was shown in the video's last second"
    assert score_case(asked, [Spoken(21, "B")]).right == (False,)
    assert score_case(asked, []).right == (False,)
    assert score_case(asked, []).first_s is None


def test_the_summary_of_a_benchmark() -> None:
    good = score_case(case(Task.PROACTIVE, expected_s=20.0), [Spoken(21, "x")])
    mute = score_case(case(Task.PROACTIVE, expected_s=20.0), [])
    assert benchmark_summary([good, mute])["PO"] == {
        "cases": 2,
        "probes": 2,
        "accuracy": 0.5,
        "never_spoke": 0.5,
        "mean_abs_error_s": 1.0,
    }
