"""A standard checkpoint trains on annotated videos. Needs the engine environment."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the engine environment has torch")
pytest.importorskip("av", reason="the engine environment has av when it was installed from its requirements")

from transformers import Qwen3VLForConditionalGeneration  # noqa: E402

from vigil.testing.videos import write_video  # noqa: E402
from vigil_recipe.data.records import BadRecords  # noqa: E402
from vigil_recipe.text.sequences import IGNORED  # noqa: E402
from vigil_recipe.training import checkpoint as checkpoints  # noqa: E402
from vigil_recipe.training.__main__ import main  # noqa: E402
from vigil_recipe.training.checkpoint import CheckpointError  # noqa: E402
from vigil_recipe.training.record_batches import RecordBatches  # noqa: E402
from vigil_recipe.training.run import run  # noqa: E402
from vigil_recipe.training.run_log import read_log  # noqa: E402
from vigil_recipe.training.settings import Settings, check_settings  # noqa: E402
from vigil_recipe.training.trainer import decide  # noqa: E402

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")]

RECORDS = [
    {
        "video_path": f"{name}.mp4",
        "question": [{"content": "Count the seconds.", "time": 0}],
        "response": [{"content": "One.", "time": 1}, {"content": "Two. </delegation> What is next?", "time": 2}],
    }
    for name in "ab"
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("records")
    write_video(made / "a.mp4", seconds=4)
    write_video(made / "b.mp4", seconds=3, size=(128, 128))
    (made / "records.jsonl").write_text("".join(json.dumps(record) + "\n" for record in RECORDS))
    torch.manual_seed(0)
    checkpoints.save(checkpoints.fresh(layers=3), made / "base")
    return made


def settings(folder: Path, **change: Any) -> Settings:
    records = {
        "files": [str(folder / "records.jsonl")],
        "videos": str(folder),
        "frames": str(folder / "frames"),
        "profile": "joyai",
        "images_per_second": 2,
    }
    return check_settings(
        {
            "base": str(folder / "base"),
            "out": str(folder / "run"),
            "log_every": 1,
            "records": records | change,
            "hardware": {"loader_workers": 0, "cpu": True, "precision": "fp32"},
            "stages": [{"name": "tune", "kind": "interaction", "steps": 2, "probe": False, "objective": "harness"}],
        }
    )


def batches(folder: Path, first: int = 0, total: int = 3, **change: Any) -> RecordBatches:
    records = settings(folder, **change).records
    assert records is not None
    encoder = checkpoints.load(str(folder / "base")).encoder
    return RecordBatches(records, encoder, first=first, total=total, seed=1, rank=0, ranks=1)


def test_a_standard_checkpoint_trains_and_loads_again(folder: Path) -> None:
    before = Qwen3VLForConditionalGeneration.from_pretrained(folder / "base").state_dict()
    done = run(settings(folder))
    after = Qwen3VLForConditionalGeneration.from_pretrained(done).state_dict()
    assert before.keys() == after.keys()
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
    assert [note["step"] for note in read_log(folder / "run/log.jsonl")] == [1, 2]
    assert len(list((folder / "frames").iterdir())) == 2
    assert (done / "chat_template.jinja").exists()


def test_batches_hold_the_replies_and_all_pictures(folder: Path) -> None:
    batch = next(iter(batches(folder)))
    encoder = checkpoints.load(str(folder / "base")).encoder
    learnt = encoder.decode(
        [int(one) for one in batch["labels"].flatten() if one != IGNORED], skip_special_tokens=False
    )
    assert learnt.count("</response> One.<|im_end|>") == 2
    assert learnt.count("</response> Two. </delegation> What is next?<|im_end|>") == 2
    assert learnt.count("</silence>") == 4 + 3 - 4
    assert sorted(tuple(frames.shape) for frames in batch["frames"]) == [(6, 128, 128, 3), (8, 192, 320, 3)]
    pads = int((batch["ids"] == encoder.token_to_id("<|image_pad|>")).sum())
    assert pads == 6 * 16 + 8 * 60


def test_a_resumed_stream_goes_on_where_it_stopped(folder: Path) -> None:
    everything = list(batches(folder, token_budget=1_000))
    resumed = list(batches(folder, first=2, token_budget=1_000))
    assert len(everything) == 3
    assert len(resumed) == 1
    assert torch.equal(resumed[0]["ids"], everything[2]["ids"])


def test_joined_sequences_are_the_same_to_the_model_as_padded_ones(folder: Path) -> None:
    """Each attends to itself alone, so its logits are those that it has in a row of its own."""
    model = checkpoints.load(str(folder / "base")).model.eval()
    padded, joined = next(iter(batches(folder))), next(iter(batches(folder, join=True)))
    assert len(padded["ids"]) == 2
    assert joined["ids"].shape == (1, int(padded["lengths"].sum()))
    assert joined["lengths"].tolist() == padded["lengths"].tolist()
    with torch.no_grad():
        alone = decide(model, padded, torch.arange(padded["ids"].shape[1]), fast=False)
        together = decide(model, joined, torch.arange(joined["ids"].shape[1]), fast=False)
    held = torch.arange(padded["ids"].shape[1]) < padded["lengths"][:, None]
    torch.testing.assert_close(together[0], alone[held], rtol=1e-4, atol=1e-4)
    assert joined["labels"][0].tolist() == padded["labels"][held].tolist()


def test_padding_changes_nothing_for_the_sequence_before_it(folder: Path) -> None:
    model = checkpoints.load(str(folder / "base")).model.eval()
    padded = next(iter(batches(folder)))
    short = min(batches(folder, token_budget=1_000), key=lambda one: int(one["lengths"][0]))
    size = int(short["lengths"][0])
    row = padded["lengths"].tolist().index(size)
    assert padded["ids"].shape[1] > size == short["ids"].shape[1]
    with torch.no_grad():
        alone = decide(model, short, torch.arange(size), fast=False)[0]
        beside = decide(model, padded, torch.arange(size), fast=False)[row]
    torch.testing.assert_close(beside, alone, rtol=1e-4, atol=1e-4)


def test_a_standard_checkpoint_trains_on_joined_sequences(folder: Path, tmp_path: Path) -> None:
    run(replace(settings(folder, join=True), out=tmp_path))
    notes = read_log(tmp_path / "log.jsonl")
    assert [note["step"] for note in notes] == [1, 2]


def test_an_attention_that_the_machine_lacks_is_a_clear_error(folder: Path) -> None:
    assert checkpoints.load(str(folder / "base"), "eager").model.config._attn_implementation == "eager"
    with pytest.raises(CheckpointError, match=r"flash_attention_2 cannot be used here, choose another hardware"):
        checkpoints.load(str(folder / "base"), "flash_attention_2")


def written(folder: Path, out: Path, records: str, workers: int = 0) -> Path:
    """A recipe file of two steps on records, beside ``out``."""
    path = out.with_suffix(".toml")
    path.write_text(
        f"""base = "{folder}/base"
out = "{out}"
log_every = 1
[records]
{records}
[hardware]
loader_workers = {workers}
cpu = true
precision = "fp32"
[[stages]]
name = "tune"
kind = "interaction"
steps = 2
probe = false
"""
    )
    return path


@pytest.mark.slow
def test_two_processes_train_one_model(folder: Path, tmp_path: Path) -> None:
    records = [f'files = ["{folder}/records.jsonl"]', f'videos = "{folder}"', f'frames = "{tmp_path}/frames"']
    path = written(folder, tmp_path / "two", "\n".join(records))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, "-m", "vigil_recipe.training", str(path)], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert [note["step"] for note in read_log(tmp_path / "two/log.jsonl")] == [1, 2], "one of them logs"
    before, after = (
        Qwen3VLForConditionalGeneration.from_pretrained(one).state_dict()
        for one in (folder / "base", tmp_path / "two/tune/model")
    )
    assert any(not torch.equal(value, after[name]) for name, value in before.items())


def bad_file(folder: Path, name: str, *records: dict[str, Any]) -> list[str]:
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    return [str(folder / name)]


def test_what_cannot_be_used_is_named_or_skipped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BadRecords, match=r"records\.jsonl: record \d: .* over the token_budget of 100"):
        next(iter(batches(folder, token_budget=100)))
    bad = bad_file(folder, "bad.jsonl", {"video_path": 1})
    with pytest.raises(BadRecords, match=r"bad\.jsonl: record 1: video_path must be a text"):
        next(iter(batches(folder, files=bad)))
    with pytest.raises(BadRecords, match="has no usable one"):
        next(iter(batches(folder, files=bad, on_error="skip")))
    assert capsys.readouterr().err.count("bad.jsonl: record 1: video_path must be a text") == 1


def test_a_record_that_is_too_long_is_skipped_and_told_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = sorted(int(one["lengths"][0]) for one in batches(folder, total=2, token_budget=1_000))
    made = list(batches(folder, total=4, token_budget=sizes[0], on_error="skip"))
    assert [one["lengths"].tolist() for one in made] == [[sizes[0]]] * 4, "the shorter one, again and again"
    assert capsys.readouterr().err.count(f"over the token_budget of {sizes[0]}") == 1


def test_a_video_that_breaks_off_is_skipped_or_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, whole = RECORDS[0] | {"video_path": "broken.mp4"}, (folder / "a.mp4").read_bytes()
    begin, end = whole.index(b"mdat") + 4, whole.index(b"moov") - 4  # the pictures, before the index of them
    assert begin < end
    (folder / "broken.mp4").write_bytes(whole[:begin] + bytes(end - begin) + whole[end:])
    files = bad_file(folder, "broken.jsonl", broken, RECORDS[1])
    made = next(iter(batches(folder, files=files, on_error="skip")))
    assert [tuple(frames.shape) for frames in made["frames"]] == [(6, 128, 128, 3)]
    assert capsys.readouterr().err.count("broken.jsonl: record 1: video_path: ") == 1
    with pytest.raises(BadRecords, match=r"broken\.jsonl: record 1: video_path: .*broken\.mp4"):
        next(iter(batches(folder, files=files)))


def test_answers_before_any_question_are_refused_unless_they_are_allowed(folder: Path) -> None:
    free = RECORDS[0] | {"question": []}
    files = bad_file(folder, "free.jsonl", free)
    with pytest.raises(BadRecords, match=r"free\.jsonl: record 1: "):
        next(iter(batches(folder, files=files)))
    assert len(next(iter(batches(folder, files=files, unprompted=True)))["ids"]) == 1


@pytest.mark.parametrize("workers", [0, 1])
def test_the_command_says_in_one_line_which_record_stops_it(
    folder: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    files = bad_file(folder, "stops.jsonl", {"video_path": 1})
    path = written(folder, folder / f"stopped-{workers}", f'files = ["{files[0]}"]', workers)
    assert main([str(path)]) == 1
    (said,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: ")]
    assert said == f"train: {files[0]}: record 1: video_path must be a text that is not empty, got a number"


def test_control_tokens_that_a_vocabulary_lacks_are_added(folder: Path, tmp_path: Path) -> None:
    made = checkpoints.load(str(folder / "base"))
    text = json.loads((folder / "base/tokenizer.json").read_text())
    kept = [token for token in text["added_tokens"] if token["content"] != "</delegation>"]
    other = tmp_path / "other"
    checkpoints.save(made, other)
    (other / "tokenizer.json").write_text(json.dumps(text | {"added_tokens": kept}))
    config = json.loads((other / "tokenizer_config.json").read_text())
    config = json.loads(json.dumps(config).replace('"</delegation>"', '"</response>"'))
    (other / "tokenizer_config.json").write_text(json.dumps(config))
    loaded = checkpoints.load(str(other))
    ids = loaded.encoder.encode("</delegation>", add_special_tokens=False).ids
    assert len(ids) == 1
    assert ids[0] < loaded.model.get_input_embeddings().num_embeddings
