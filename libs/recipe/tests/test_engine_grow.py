"""A grown model begins where the smaller one stopped. Needs the engine environment."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from vigil_recipe import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.checkpoint import CheckpointError  # noqa: E402
from vigil_recipe.grow import NOISE, deepen, grow_rows, grow_state, main  # noqa: E402

pytestmark = pytest.mark.engine


def test_rows_follow_their_tokens() -> None:
    rows = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    grown = grow_rows(rows, {"a": 0, "b": 1, "c": 2}, {"c": 0, "new": 1, "a": 2})
    assert grown[0].tolist() == [5, 6]
    assert grown[2].tolist() == [1, 2]
    assert (grown[1] - torch.tensor([3.0, 4.0])).abs().max() < 5 * NOISE


def test_a_deeper_model_says_the_same_at_first() -> None:
    torch.manual_seed(3)
    start = checkpoints.fresh(layers=4)
    grown = deepen(start, 6)
    ids = torch.randint(10, start.encoder.get_vocab_size(), (2, 20))
    with torch.no_grad():
        before = start.model.eval()(input_ids=ids).logits
        after = grown.model.eval()(input_ids=ids).logits
    torch.testing.assert_close(after, before)
    assert grown.model.config.text_config.num_hidden_layers == 6


def test_a_new_layer_can_learn() -> None:
    grown = deepen(checkpoints.fresh(layers=4), 5)
    grown.model(input_ids=torch.randint(10, 500, (1, 8))).logits.square().mean().backward()
    last = grown.model.model.language_model.layers[4]
    assert last.mlp.down_proj.weight.grad.abs().sum() > 0
    assert last.self_attn.o_proj.weight.grad.abs().sum() > 0


def test_a_tensor_of_another_shape_is_named() -> None:
    old = {"model.language_model.embed_tokens.weight": torch.zeros(2, 2), "model.norm": torch.zeros(3)}
    with pytest.raises(ValueError, match=r"model\.norm of shape \(3,\) does not fit"):
        grow_state(old, {"model.norm": torch.zeros(4)}, {}, {"a": 0})


def test_a_model_does_not_shrink() -> None:
    with pytest.raises(CheckpointError, match="has 4 layers already"):
        deepen(checkpoints.fresh(layers=4), 3)


def test_a_state_of_an_older_run_grows_with_its_probe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = checkpoints.fresh(layers=4)
    checkpoints.save(start, tmp_path / "old")
    probe = {"read.weight": torch.ones(4, 192)}
    torch.save({"model": start.model.state_dict(), "probe": probe}, tmp_path / "state.pt")
    source, out = str(tmp_path / "state.pt"), tmp_path / "grown"
    assert main(["--from", source, "--out", str(out)]) == 1
    assert "name a folder that has it with --tokenizer" in capsys.readouterr().err
    assert main(["--from", source, "--tokenizer", str(tmp_path / "old"), "--out", str(out)]) == 0
    grown = checkpoints.load(str(out))
    assert grown.probe is not None
    assert grown.probe["read.weight"].tolist() == probe["read.weight"].tolist()
    assert torch.equal(grown.model.get_input_embeddings().weight, start.model.get_input_embeddings().weight)


def test_a_name_that_is_nothing_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--from", str(tmp_path / "none"), "--out", str(tmp_path / "out")]) == 1
    assert "grow:" in capsys.readouterr().err
