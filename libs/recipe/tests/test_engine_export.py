"""The exported folder is a standard checkpoint that stock classes load. Needs the engine environment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from transformers import AutoProcessor, Qwen3VLForConditionalGeneration  # noqa: E402

from vigil_recipe.export.__main__ import main  # noqa: E402
from vigil_recipe.export.weights import LARGEST_BYTES  # noqa: E402
from vigil_recipe.text import prompt_format  # noqa: E402
from vigil_recipe.training import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.training.model import grid_of, hasten, patchify, stock_patchify  # noqa: E402

pytestmark = pytest.mark.engine

EXAM_OF_CHAT = {
    "settings": {
        "seed": 3,
        "episodes": 9,
        "split": "test",
        "pace": "accelerated",
        "machine": "2 cores",
        "began": "now",
    },
    "summary": {
        "chat": dict.fromkeys(("recall", "precision", "answer_accuracy", "exact_episodes", "sw_f1"), 0.5)
        | {"false_alarms_per_minute": 0.0}
    },
    "targets": [],
    "summariser": {"not_run": "some scenarios alone"},
    "head_to_head": {},
    "robustness": {},
    "calibration": {"bins": [], "expected_error": None},
}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run, out = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("out")
    torch.manual_seed(1)
    checkpoints.save(checkpoints.fresh(), run / "all" / "model")
    notes = [{"stage": "sight", "step": 2, "elapsed_s": 60.0}, {"stage": "all", "step": 3, "elapsed_s": 60.0}]
    counts = {"validation": {"chat": {"turns": 48, "right": 47}}}
    (run / "log.jsonl").write_text("".join(json.dumps(note) + "\n" for note in (*notes, notes[1] | counts)))
    exam = run / "exam.json"
    exam.write_text(json.dumps(EXAM_OF_CHAT))
    source = str(run / "all" / "model")
    assert main(["--from", source, "--out", str(out), "--exam", str(exam), "--note", "Resumed once."]) == 0
    return out


def test_the_fast_vision_forward_is_the_stock_one() -> None:
    fast = hasten(checkpoints.fresh().model.eval())
    stock = Qwen3VLForConditionalGeneration(fast.config).eval()
    stock.load_state_dict(fast.state_dict())
    frames = torch.randint(0, 256, (3, 96, 160, 3), dtype=torch.uint8)
    patches = patchify(frames)
    with torch.no_grad():
        mine = fast.model.visual(patches, grid_thw=grid_of(frames))
        theirs = stock.model.visual(stock_patchify(frames), grid_thw=grid_of(frames))
    torch.testing.assert_close(mine.pooler_output, theirs.pooler_output, atol=1e-5, rtol=1e-4)
    for feature, other in zip(mine.deepstack_features, theirs.deepstack_features, strict=True):
        torch.testing.assert_close(feature, other, atol=1e-5, rtol=1e-4)


def test_training_patches_are_the_processors(exported: Path) -> None:
    processor = AutoProcessor.from_pretrained(exported)
    frames = np.random.default_rng(1).integers(0, 256, (2, 96, 160, 3), dtype=np.uint8)
    theirs = processor.image_processor(images=list(frames), return_tensors="pt")
    torch.testing.assert_close(theirs["pixel_values"], stock_patchify(torch.from_numpy(frames)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("size", "tokens"), [((96, 160), 15), ((96, 128), 12), ((128, 128), 16)])
def test_a_frame_is_not_rescaled(exported: Path, size: tuple[int, int], tokens: int) -> None:
    processor = AutoProcessor.from_pretrained(exported)
    text = prompt_format.user_block([], 0.0, [1])
    made = processor(text=[text], images=[np.zeros((*size, 3), np.uint8)], return_tensors="pt")
    pad = processor.tokenizer.convert_tokens_to_ids(prompt_format.IMAGE_PAD)
    assert int((made["input_ids"] == pad).sum()) == tokens


def test_the_chat_template_writes_the_prompts_bytes(exported: Path) -> None:
    processor = AutoProcessor.from_pretrained(exported)
    first = {"type": "text", "text": "Alert me when a fire starts.\n<0.0 seconds>\n"}
    later = {"type": "text", "text": "<1.0 seconds>\n"}
    picture = {"type": "image_url", "image_url": {"url": "data:,"}}
    messages = [
        {"role": "system", "content": "You watch a camera."},
        {"role": "user", "content": [first, {"type": "image"}]},
        {"role": "assistant", "content": "</silence>"},
        {"role": "user", "content": [later, picture, {"type": "text", "text": "\n"}, picture]},
    ]
    written = processor.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    expected = prompt_format.system_block() + prompt_format.user_block(["Alert me when a fire starts."], 0.0, [1])
    expected += prompt_format.reply_block("</silence>") + prompt_format.user_block([], 1.0, [1, 1])
    assert written == expected


def test_the_checkpoint_is_small_and_bfloat16(exported: Path) -> None:
    model = Qwen3VLForConditionalGeneration.from_pretrained(exported, dtype="auto")
    assert model.dtype == torch.bfloat16
    assert (exported / "model.safetensors").stat().st_size < LARGEST_BYTES
    assert json.loads((exported / "config.json").read_text())["architectures"] == ["Qwen3VLForConditionalGeneration"]
    assert model.generation_config.eos_token_id == [2, 0]
    assert not model.generation_config.do_sample


def test_the_card_is_of_this_run_and_exam_and_no_training_aid_is_exported(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    assert "Stages, in order: sight (2 steps), all (3 steps)." in card
    assert "- Resumed once.\n" in card
    assert "| chat | 50.0% | 50.0% |" in card
    assert not (exported / "probe.pt").exists()


def test_a_run_without_checkpoint_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "holds no config.json" in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "no JSON"])
def test_an_exam_that_cannot_be_read_is_a_wrong_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    path = tmp_path / "exam.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit) as stopped:
        main(["--from", str(tmp_path), "--exam", str(path)])
    assert stopped.value.code == 2
    assert "give the JSON file that `vigil eval` wrote" in capsys.readouterr().err


def test_a_model_that_the_repository_cannot_hold_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoints.save(checkpoints.fresh(layers=40), tmp_path / "run/all/model")
    assert main(["--from", str(tmp_path / "run/all/model"), "--out", str(tmp_path / "out")]) == 1
    assert f"more than the {LARGEST_BYTES} that the repository may hold" in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "nothing is left half-written"
