"""RIVER's memory questions: records in the published form become cases of four ages, wrong ones are named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil_recipe.exam.benchmarks.cases import BenchmarkCase, Probe, Task
from vigil_recipe.exam.benchmarks.fields import BadAnnotations
from vigil_recipe.exam.benchmarks.loaders import Benchmark, load
from vigil_recipe.exam.benchmarks.river import retro_memory
from vigil_recipe.exam.benchmarks.scores import Spoken, benchmark_summary, score_case

AGES_S = {"short": 20.0, "medium": 45.5, "long": 600.0, "very_long": 3600.0}
ENDS_S = 76.5


def record(age: str = "short", **changes: Any) -> dict[str, Any]:
    """A question about a red kettle that was on the stove from 70 s to 76.5 s."""
    made = {
        "video_source": "Kitchens",
        "video_id": "k1",
        "video_path": "k1.mp4",
        "duration_sec": 4_000.0,
        "fps": 25.0,
        "question_type": f"Retro-Memory@{age}",
        "question_id": "k1@1",
        "question": "What stood  on the stove?",
        "question_time": ENDS_S + AGES_S.get(age, 0.0),
        "choices": ["(A) A pan.", "(B) A red kettle.", "(C) Nothing.", "(D) A pot."],
        "correct_answer": "B",
        "time_reference": [70, ENDS_S],
    }
    return {**made, **changes}


def loaded(folder: Path, *records: Any) -> tuple[BenchmarkCase, ...]:
    path = folder / "Retro-Memory.json"
    path.write_text(json.dumps(records))
    (folder / "k1.mp4").write_bytes(b"")
    return load(Benchmark.RIVER_MEMORY, path, folder)


def test_a_question_is_asked_at_four_ages(tmp_path: Path) -> None:
    cases = loaded(tmp_path, *map(record, AGES_S))
    assert [case.task for case in cases] == [
        Task.MEMORY_SHORT,
        Task.MEMORY_MEDIUM,
        Task.MEMORY_LONG,
        Task.MEMORY_VERY_LONG,
    ]
    assert [case.ask_s for case in cases] == [96.5, 122.0, 676.5, 3676.5]
    assert [case.record for case in cases] == [f"Retro-Memory@{age} k1@1" for age in AGES_S]
    assert len({(case.instruction, case.options, case.video) for case in cases}) == 1


def test_a_question_is_lettered_as_the_others_are(tmp_path: Path) -> None:
    (case,) = loaded(tmp_path, record())
    assert case.instruction == (
        "What stood on the stove? A. A pan. B. A red kettle. C. Nothing. D. A pot. "
        "Answer with the letter of the right option."
    )
    assert case.options == ("A pan.", "A red kettle.", "Nothing.", "A pot.")
    assert (case.answer, case.probes, case.expected_s) == ("B", (Probe(96.5, 1),), None)
    assert (case.video, case.end_s) == (tmp_path / "k1.mp4", 106.5)


def test_a_fifth_option_is_kept_and_a_reversed_span_counts_by_its_second_time(tmp_path: Path) -> None:
    five = [*record()["choices"], "(E) A cat."]
    (case,) = loaded(tmp_path, record(choices=five, correct_answer="E", time_reference=[300, ENDS_S]))
    assert (case.options[-1], case.answer, case.probes[0].expected) == ("A cat.", "E", 4)


def test_records_of_other_tasks_are_passed_over(tmp_path: Path) -> None:
    others = [
        record(question_type=name) for name in ("Live-Perception", "Pro-Response-Instant@short", "Recalling@long")
    ]
    assert len(loaded(tmp_path, *others, record("long"))) == 1
    with pytest.raises(BadAnnotations, match="no record of river-memory"):
        loaded(tmp_path, *others)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("no record", "record 2: is no object"),
        (record(correct_answer="E"), "record 2: correct_answer is 'E': it is the letter of one of the 4 choices"),
        (record(correct_answer="AB"), "record 2: correct_answer is 'AB'"),
        (record(choices=["(A) A pan.", "(C) A pot."]), "record 2: choice 2 is '(C) A pot.': it begins with its letter"),
        (record(choices=["A pan."]), "record 2: choice 1 is 'A pan.'"),
        (record(choices=[]), "record 2: correct_answer is 'B': it is the letter of one of the 0 choices"),
        (record(question=" "), "record 2: ' ' is no text"),
        (record(time_reference=[70]), "record 2: time_reference is [70]: it is a list of two times"),
        (record(time_reference=27.1), "record 2: time_reference is 27.1"),
        (record(question_time=90.0), "record 2: question_time is 90 s, 13.5 s after the end of time_reference"),
        (record("very_long", question_time=1_000.0), "Retro-Memory@very_long is 1800 to 3600 s after it"),
        (record(question_time="soon"), "record 2: 'soon' is no time"),
        (record(video_path=""), "record 2: no video is named"),
        (record(video_path="lost.mp4"), "lost.mp4 not in"),
        ({"question_type": "Retro-Memory@short"}, "record 2: has no field 'choices'"),
    ],
)
def test_wrong_records_are_named(tmp_path: Path, wrong: Any, said: str) -> None:
    with pytest.raises(BadAnnotations) as refused:
        loaded(tmp_path, record(), wrong)
    assert said in str(refused.value)


@given(st.sampled_from(list(AGES_S)), st.floats(0, 4_000), st.floats(0, 3_600))
def test_a_question_is_of_its_age_or_refused(age: str, ends_s: float, after_s: float) -> None:
    made = record(age, time_reference=[0, ends_s], question_time=ends_s + after_s)
    least_s, most_s = {"short": (15, 30), "medium": (30, 60), "long": (300, 900), "very_long": (1_800, 3_600)}[age]
    read = retro_memory(Path("a.json"), [made], Path())
    if least_s <= (ends_s + after_s) - ends_s <= most_s:
        assert next(read).ask_s == ends_s + after_s
    else:
        with pytest.raises(BadAnnotations, match="after the end of time_reference"):
            next(read)


def test_each_age_is_scored_by_itself(tmp_path: Path) -> None:
    cases = loaded(tmp_path, *map(record, AGES_S))
    said = ["B", "(A)", "A red kettle, I think.", ""]
    scores = [
        score_case(case, [Spoken(case.ask_s + 1, text)] if text else []) for case, text in zip(cases, said, strict=True)
    ]
    found = benchmark_summary(scores)
    assert [figures["accuracy"] for figures in found.values()] == [1.0, 0.0, 1.0, 0.0]
    assert list(found) == [f"Retro-Memory@{age}" for age in AGES_S]
    assert [figures["never_spoke"] for figures in found.values()] == [0.0, 0.0, 0.0, 1.0]
