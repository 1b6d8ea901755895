"""`vigil eval`: it is there because this package is installed, and says what is wrong before it starts anything."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vigil_client.errors import ClientError
from vigil_client.testing.command import vigil
from vigil_recipe.exam.options import ExamOptions, Pace, parse_choice
from vigil_recipe.exam.session import examine


async def test_the_command_is_there() -> None:
    told = await vigil("eval", "--help")
    assert told.status == 0
    assert "disjoint by construction" in " ".join(told.output.split())


async def test_a_wrong_option_is_told_with_what_to_give_instead() -> None:
    result = await vigil("eval", "--pace", "fast")
    assert result.status == 1
    assert "--pace is 'fast' next give one of: accelerated, real-time" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("change", "said", "next_step"),
    [
        ({"pace": "fast"}, "--pace is 'fast'", "give one of: accelerated, real-time"),
        ({"scenarios": ("chat", "juggling")}, "--scenario is 'juggling'", "give one of: alerting, counting"),
        ({"split": "exam"}, "--split is 'exam'", "give one of: train, validation, test"),
        ({"seed": 10**14}, "out of range: give 0 to", "correct --seed, --episodes or --scenario"),
        ({"benchmark": "other"}, "--benchmark is 'other'", "give one of: streamingbench-po"),
        ({"benchmark": "ovo-forward"}, "--benchmark needs the benchmark's files", "give --annotations FILE"),
    ],
)
async def test_wrong_options_are_named_before_anything_starts(
    tmp_path: Path, change: dict[str, Any], said: str, next_step: str
) -> None:
    with pytest.raises(ClientError) as refused:
        await examine(replace(options(tmp_path), **change))
    assert said in refused.value.message
    assert refused.value.next_step.startswith(next_step)
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "run").exists()


async def test_a_bad_annotation_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ovo.json"
    path.write_text(json.dumps([{"task": "REC", "video": "a.mp4"}]))
    asked = replace(options(tmp_path), benchmark="ovo-forward", annotations=path, videos=tmp_path)
    with pytest.raises(ClientError, match="record 1: has no field 'test_info'") as refused:
        await examine(asked)
    assert refused.value.next_step == "give the published annotation file and its videos"


def test_a_choice_is_by_value() -> None:
    assert parse_choice(Pace, "real-time", "--pace") is Pace.REAL_TIME


def options(folder: Path) -> ExamOptions:
    return ExamOptions(0, 9, (), "accelerated", False, 1, "test", folder / "out", folder / "model", folder / "run")
