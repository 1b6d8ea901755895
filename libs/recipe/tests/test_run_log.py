"""The log of a training run: what is written for programs, what is printed for people, and the time spent."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from vigil_recipe.training.run_log import StageLog, read_log, spent_s


def test_a_line_for_programs_and_one_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run" / "log.jsonl"
    log = StageLog(path, "words", 40, began=20, began_s=time.monotonic() - 30)
    log(30, {"loss": 0.123456789, "validation": {"chat": 1}})
    log(40, {"loss": 0.1})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["stage"], line["step"], line["loss"]) for line in lines] == [
        ("words", 30, 0.123456789),
        ("words", 40, 0.1),
    ]
    assert all(30 <= line["elapsed_s"] < 40 for line in lines)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("words 30/40 30s left=30s loss=0.1235 validation={'chat': 1}")
    assert " left=0s " in shown[1]


def test_a_stage_that_has_just_begun_divides_by_no_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StageLog(tmp_path / "log.jsonl", "words", 5)(0, {})
    assert capsys.readouterr().out.startswith("words 0/5 0s left=0s")


def test_a_log_is_read_as_it_was_written_and_may_be_missing(tmp_path: Path) -> None:
    assert read_log(tmp_path / "log.jsonl") == []
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n')
    assert read_log(tmp_path / "log.jsonl") == [{"step": 1}, {"step": 2}]


@pytest.mark.parametrize(
    ("elapsed_s", "spent"),
    [
        ((), 0),
        ((10, 25), 25),
        ((10, 25, 5, 8), 33),  # started again after 25 s
        ((10, 3, 2, 1), 16),  # three starts, each with one line
    ],
)
def test_the_time_of_every_start_is_added_up(elapsed_s: tuple[float, ...], spent: float) -> None:
    assert spent_s([{"elapsed_s": value} for value in elapsed_s]) == spent
