"""Export a run as a standard Qwen3-VL checkpoint.

``python -m vigil_recipe.export --run build/train/run --out models/vigil-small``
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import Qwen3VLForConditionalGeneration

from vigil_recipe.card import write_card
from vigil_recipe.model import MERGE, PATCH, make_config
from vigil_recipe.tokenizer import SPECIAL, VOCABULARY, as_pretrained, train_tokenizer

LARGEST_BYTES = 30 * 2**20
SMALLEST_PIXELS = 32 * 32
LARGEST_PIXELS = 512 * 512


class ExportError(Exception):
    """The run cannot be exported; the message says why and what to do."""


def export(run: Path, out: Path, scores: Mapping[str, object] | None = None, notes: Sequence[str] = ()) -> None:
    """Write weights (bf16 safetensors), configuration, tokenizer, processor files, chat template and model card.

    Raises ExportError when the run has no saved state or the checkpoint is over its size limit.
    """
    state_path = run / "state.pt"
    if not state_path.exists():
        raise ExportError(f"{run} holds no state.pt: train first (python -m vigil_recipe.train --out {run})")
    state = torch.load(state_path, weights_only=True)
    tokenizer = train_tokenizer()
    token_ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    model = Qwen3VLForConditionalGeneration(make_config(VOCABULARY, token_ids))
    model.load_state_dict(state["model"])
    model.generation_config.update(
        do_sample=False, eos_token_id=[token_ids["<|im_end|>"], token_ids["<|endoftext|>"]], pad_token_id=0
    )
    out.mkdir(parents=True, exist_ok=True)
    model.to(torch.bfloat16).save_pretrained(out)
    as_pretrained(tokenizer).save_pretrained(out)
    write_json(out / "preprocessor_config.json", image_processor_config("Qwen2VLImageProcessorFast"))
    video = image_processor_config("Qwen3VLVideoProcessor") | {"video_processor_type": "Qwen3VLVideoProcessor"}
    del video["image_processor_type"]
    write_json(out / "video_preprocessor_config.json", video)
    shutil.copyfile(Path(__file__).with_name("chat_template.jinja"), out / "chat_template.jinja")
    count = parameters(out / "model.safetensors")
    write_card(out / "README.md", run / "log.jsonl", count, state["step"], scores or {}, notes)
    (out / "model.safetensors").chmod(0o644)
    size = (out / "model.safetensors").stat().st_size
    if size > LARGEST_BYTES:
        raise ExportError(f"the weights take {size} bytes, more than the {LARGEST_BYTES} that the repository may hold")


def image_processor_config(name: str) -> dict[str, object]:
    """The processor's settings. The low minimum keeps a 160x96 frame as it is: 15 visual tokens, no rescaling."""
    return {
        "image_processor_type": name,
        "processor_class": "Qwen3VLProcessor",
        "patch_size": PATCH,
        "merge_size": MERGE,
        "temporal_patch_size": 2,
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_convert_rgb": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "size": {"shortest_edge": SMALLEST_PIXELS, "longest_edge": LARGEST_PIXELS},
    }


def parameters(weights: Path) -> int:
    """How many numbers the checkpoint holds."""
    return sum(tensor.numel() for tensor in load_file(weights).values())


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """One configuration file."""
    path.write_text(json.dumps(value, indent=2) + "\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Export a run."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.export", description=__doc__)
    parser.add_argument("--run", type=Path, default=Path("build/train/run"), help="folder of the training run")
    parser.add_argument("--out", type=Path, default=Path("models/vigil-small"), help="folder of the checkpoint")
    parser.add_argument("--scores", type=Path, help="JSON written by vigil_recipe.check, for the model card")
    parser.add_argument("--note", action="append", default=[], help="a remark for the model card; may be repeated")
    options = parser.parse_args(argv)
    scores = json.loads(options.scores.read_text()) if options.scores else None
    try:
        export(options.run, options.out, scores, options.note)
    except ExportError as error:
        sys.stderr.write(f"export: {error}\n")
        return 1
    sys.stdout.write(f"exported to {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
