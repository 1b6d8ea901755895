"""The exported folder is a standard checkpoint that stock classes load. Needs the engine environment."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")

from transformers import AutoProcessor, Qwen3VLForConditionalGeneration  # noqa: E402

from vigil_recipe.export.__main__ import main  # noqa: E402
from vigil_recipe.export.model_card import exam_lines  # noqa: E402
from vigil_recipe.export.weights import LARGEST_BYTES  # noqa: E402
from vigil_recipe.text import prompt_format  # noqa: E402
from vigil_recipe.training import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.training.model import grid_of, hasten, patchify, stock_patchify  # noqa: E402

pytestmark = pytest.mark.engine

FIGURES = {
    "recall": 0.5,
    "precision": None,
    "answer_accuracy": 1.0,
    "exact_episodes": 0.25,
    "false_alarms_per_minute": 0.125,
    "sw_f1": 0.75,
}
EXAM = {
    "settings": {
        "seed": 3,
        "episodes": 9,
        "split": "test",
        "pace": "accelerated",
        "machine": "2 cores",
        "began": "2026-01-02 03:04 UTC",
    },
    "summary": {
        "chat": FIGURES,
        "memory": FIGURES | {"memory_on": 0.875, "memory_off": 0.0},
        "delegation": FIGURES | {"watched_while_pending": 0.75},
    },
    "targets": [{"claim": "results used", "limit": 0.9, "at_least": True, "value": None, "met": None}],
    "summariser": {"summary": {"exact": 0.5, "sentence_recall": 0.75, "sentence_precision": None}},
    "head_to_head": {
        "ask_only": {"chat": {"wins": 1, "ties": 0, "losses": 2}, "overall": {"wins": 4, "ties": 3, "losses": 2}},
        "last_4_frames": {"overall": {"wins": 0, "ties": 9, "losses": 0}},
    },
    "robustness": {"night on": {"dues": 17, "recall": 0.5, "false_alarms_per_minute": 0.25}},
    "calibration": {
        "expected_error": 0.01,
        "turns": 140,
        "bins": [
            {"low": 0.0, "turns": 100, "mean_p": 0.01, "silence_right": 0.02},
            {"low": 0.4, "turns": 30, "mean_p": 0.45, "silence_right": 0.65},
            {"low": 0.8, "turns": 10, "mean_p": 0.85, "silence_right": 0.85},
        ],
    },
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
    exam.write_text(json.dumps(EXAM))
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
    for one, other in zip(mine.deepstack_features, theirs.deepstack_features, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


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


def test_the_card_tells_stages_minutes_and_scores(exported: Path) -> None:
    card = (exported / "README.md").read_text()
    assert "Stages, in order: sight (2 steps), all (3 steps)." in card
    assert "Where the settings end with a mean of stages, the weights are that." in " ".join(card.split())
    assert ", 1 minutes in all" in card
    assert "- Resumed once.\n" in card
    assert "| chat | 50.0% | – | 100.0% | 25.0% | 0.125 | 0.750 |" in card
    assert "| results used | – | ≥ 0.9 |" in card
    assert "| win / tie / loss against, same weights | ask only | last 4 frames |" in card
    assert "| chat | 1 / 0 / 2 | – |" in card
    assert "| overall | 4 / 3 / 2 | 0 / 9 / 0 |" in card
    assert "| night on | 17 | 50.0% | 0.250 |" in card
    assert "pending, 75.0% of what else was due" in card
    assert "| 0.875 | 0.000 | – |" in card
    assert "p(silence) is off by 0.010 on average; between 0.1 and 0.9 (40 turns) by 0.150." in card
    assert "| summary | 50.0% | 75.0% | – |" in card
    assert "- chat: turns 48, right 47" in card
    assert not (exported / "probe.pt").exists()


def test_an_exam_of_some_scenarios_has_no_table_of_what_it_did_not_ask() -> None:
    only = {"summary": {"chat": FIGURES}, "summariser": {"not_run": "some scenarios alone"}, "robustness": {}}
    lines = exam_lines(EXAM | only)
    assert any(line.startswith("| chat |") for line in lines)
    assert not any("memory" in line or "pending" in line or "alerting with" in line for line in lines)


def test_a_run_without_checkpoint_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "holds no config.json" in capsys.readouterr().err
