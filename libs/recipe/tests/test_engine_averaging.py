"""The mean of checkpoints, as a function and as a stage of a run. Needs the engine environment."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe.training import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.training.averaging import mean  # noqa: E402
from vigil_recipe.training.checkpoint import CheckpointError  # noqa: E402
from vigil_recipe.training.run import run  # noqa: E402
from vigil_recipe.training.settings import check_settings  # noqa: E402

pytestmark = pytest.mark.engine


def test_every_weight_is_the_mean_of_its_likes() -> None:
    torch.manual_seed(5)
    some = [checkpoints.fresh() for _ in range(3)]
    before = [{name: value.clone() for name, value in checkpoint.model.state_dict().items()} for checkpoint in some]
    made = mean(some)
    for name, value in made.model.state_dict().items():
        torch.testing.assert_close(value, (before[0][name] + before[1][name] + before[2][name]) / 3)
    assert made.encoder.get_vocab() == some[-1].encoder.get_vocab()
    embedding = made.model.get_input_embeddings().weight
    assert made.model.get_output_embeddings().weight.data_ptr() == embedding.data_ptr(), "still tied"


def test_models_of_two_sizes_have_no_mean() -> None:
    with pytest.raises(CheckpointError, match="models of one architecture"):
        mean([checkpoints.fresh(layers=4), checkpoints.fresh(layers=5)])
    with pytest.raises(CheckpointError, match="needs checkpoints"):
        mean([])


@pytest.mark.slow
def test_a_run_ends_with_the_mean_of_two_of_its_stages(tmp_path: Path) -> None:
    clips = {"plain": 1}
    table = {
        "base": "fresh small",
        "out": str(tmp_path / "run"),
        "world": {"clips": str(tmp_path / "clips"), "train_clips": clips, "validation_clips": clips},
        "hardware": {"loader_workers": 0, "cpu": True, "precision": "fp32"},
        "stages": [
            {"name": "first", "kind": "sight", "steps": 1, "frame_budget": 8},
            {"name": "second", "kind": "sight", "steps": 1, "frame_budget": 8},
            {"name": "both", "kind": "mean", "of": ["first", "second"]},
        ],
    }
    done = run(check_settings(table))
    states = [
        checkpoints.load(str(tmp_path / "run" / name / "model")).model.state_dict() for name in ("first", "second")
    ]
    assert done == tmp_path / "run/both/model"
    learnt = 0
    for name, value in checkpoints.load(str(done)).model.state_dict().items():
        torch.testing.assert_close(value, (states[0][name] + states[1][name]) / 2)
        learnt += not torch.equal(states[0][name], states[1][name])
    assert learnt
