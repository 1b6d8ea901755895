"""`vigil eval` as a command: it is there because this package is installed, and says what is wrong before it starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vigil_client.testing.command import vigil
from vigil_recipe.exam.options import Pace, parse_choice


async def test_the_command_is_there() -> None:
    listed = await vigil("--help")
    assert (listed.status, "eval" in listed.output) == (0, True)
    told = await vigil("eval", "--help")
    assert "disjoint by construction" in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pace", "fast"), "--pace is 'fast'"),
        (("--scenario", "juggling"), "--scenario is 'juggling'"),
        (("--split", "exam"), "--split is 'exam'"),
        (("--seed", str(10**14)), "out of range: give 0 to"),
        (("--benchmark", "other"), "--benchmark is 'other'"),
        (("--benchmark", "ovo-forward"), "--benchmark needs the benchmark's files"),
    ],
)
async def test_wrong_options_are_named_before_anything_starts(arguments: tuple[str, ...], said: str) -> None:
    result = await vigil("eval", *arguments)
    assert result.status == 1
    assert said in " ".join(result.output.split())


async def test_a_bad_annotation_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ovo.json"
    path.write_text(json.dumps([{"task": "REC", "video": "a.mp4"}]))
    result = await vigil("eval", "--benchmark", "ovo-forward", "--annotations", str(path), "--videos", str(tmp_path))
    assert result.status == 1
    assert "record 1: has no field 'test_info'" in " ".join(result.output.split())


def test_a_choice_is_by_value() -> None:
    assert parse_choice(Pace, "real-time", "--pace") is Pace.REAL_TIME
