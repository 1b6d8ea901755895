"""Objectives compared, in small; and what is counted. Needs the engine environment."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.training import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.training.ablation import COLUMNS, main, markdown, row_of, total_of  # noqa: E402
from vigil_recipe.training.validation import Scores  # noqa: E402

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")]


def test_onsets_are_met_late_or_missed_and_speech_in_silence_is_early_or_false() -> None:
    scores = Scores()
    # Turns: two onsets (2 and 7); a planted mistake at 5 is not learnt.
    speaks = [False, False, True, True, False, None, False, True, False, False, False]
    said = [False, True, False, True, True, True, False, True, False, False, True]
    right = [
        (speaking is True and two) or (speaking is False and not two)
        for speaking, two in zip(speaks, said, strict=True)
    ]
    exact = [turn == 7 for turn in range(len(speaks))]
    scores.add(speaks, said, right, exact)
    assert scores == Scores(turns=10, silent=7, right=6, onsets=2, met=1, exact=1, late=1, early=1, false_alarms=2)


def test_the_first_turn_may_be_an_onset() -> None:
    scores = Scores()
    scores.add([True, True], [True, False], [True, False], [True, False])
    assert (scores.onsets, scores.met, scores.silent) == (1, 1, 0)
    assert math.isnan(row_of(scores)[COLUMNS[2]])


def test_a_row_is_made_of_all_kinds() -> None:
    kinds = {
        "a": Scores(turns=10, silent=8, right=9, onsets=2, met=1, late=1).as_dict(),
        "b": Scores(turns=10, silent=2, right=6, onsets=2, met=2, early=1, false_alarms=1, exact=1).as_dict(),
    }
    row = row_of(total_of(kinds))
    assert list(row.values()) == pytest.approx([0.75, 0.25, 0.1, 100, 0.75, 0.25])
    assert "| paper | 0.750 | 0.250 | 0.100 | 100.000 | 0.750 | 0.250 |" in markdown({"paper": kinds}, "About.")


@pytest.mark.slow
def test_every_variant_is_trained_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints.save(checkpoints.fresh(layers=3), tmp_path / "base")
    (tmp_path / "run.toml").write_text(
        f"""
        out = "{tmp_path}/unused"
        hardware = {{ loader_workers = 0, cpu = true, precision = "fp32" }}
        [world]
        clips = "{tmp_path}/clips"
        train_clips = {{ plain = 1 }}
        validation_clips = {{ plain = 1 }}
        validation_cases = 1
        [[stages]]
        name = "all"
        kind = "interaction"
        steps = 9
        turn_budget = 12
        phases = [{{ until = 1.0, turns = {{ 12 = 1.0 }}, mix = {{ watching = 1.0 }} }}]
        """
    )
    out = tmp_path / "out"
    arguments = [str(tmp_path / "run.toml"), "--stage", "all", "--base", str(tmp_path / "base"), "--out", str(out)]
    arguments += ["--cases", "1"]
    assert main([*arguments, "--steps", "1", "--variant", "plain", "--variant", "focal"]) == 0
    counts = json.loads((out / "ablation.json").read_text())["counts"]
    assert list(counts) == ["plain", "focal"]
    assert counts["plain"]["watching"]["turns"] > 0
    assert (out / "ablation.md").read_text() in capsys.readouterr().out
    weights = [(out / variant / "all/model/model.safetensors").read_bytes() for variant in counts]
    assert weights[0] != weights[1]
    assert main([*arguments[:2], "nothing", *arguments[3:]]) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run.toml",), "required: --base"),
        (("run.toml", "--base", "b", "--steps", "0"), "--steps 0: give 1 or more"),
        (("run.toml", "--base", "b", "--variant", "best"), "argument --variant: invalid choice: 'best'"),
    ],
)
def test_wrong_options_are_named(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err


def test_a_stage_that_trains_no_interactions_cannot_be_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.toml").write_text(
        f"""
        out = "{tmp_path}/unused"
        world = {{ clips = "{tmp_path}/clips", train_clips = {{ plain = 1 }}, validation_clips = {{ plain = 1 }} }}
        stages = [{{ name = "look", kind = "sight", steps = 1 }}]
        """
    )
    assert main([str(tmp_path / "run.toml"), "--stage", "look", "--base", "b", "--out", str(tmp_path / "out")]) == 1
    assert "objectives are compared in an interaction stage on the world" in capsys.readouterr().err
