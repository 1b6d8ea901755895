"""Export a trained checkpoint for serving, with its card.

``python -m vigil_recipe.export --from build/train/small/whole/model --out build/train/vigil-small``

The weights that the repository ships are left alone unless ``--out models/vigil-small`` is given: their card tells of
an exam that another model has not taken.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vigil_recipe import checkpoint as checkpoints
from vigil_recipe.card import write_card
from vigil_recipe.checkpoint import CheckpointError
from vigil_recipe.tokenizer import SPECIAL

LARGEST_BYTES = 30 * 2**20


class ExportError(Exception):
    """The run cannot be exported; the message says why and what to do."""


def export(
    source: Path, out: Path, log: Path, exam: Mapping[str, Any] | None = None, notes: Sequence[str] = ()
) -> None:
    """Write weights (bf16 safetensors), configuration, tokenizer, processor files, chat template and model card.

    Nothing is left half-written. Raises ExportError when the checkpoint is over its size limit, CheckpointError
    when there is none.
    """
    made = checkpoints.load(str(source))
    token_ids = {token: made.encoder.token_to_id(token) for token in SPECIAL}
    made.model.generation_config.update(
        do_sample=False, eos_token_id=[token_ids["<|im_end|>"], token_ids["<|endoftext|>"]], pad_token_id=0
    )
    count = parameters(made.model)
    size = 2 * count
    if size > LARGEST_BYTES:
        raise ExportError(f"the weights take {size} bytes, more than the {LARGEST_BYTES} that the repository may hold")
    made.model.to(torch.bfloat16)
    checkpoints.save(replace(made, probe=None), out)
    (out / "model.safetensors").chmod(0o644)
    write_card(out / "README.md", log, count, exam, notes)


def parameters(model: nn.Module) -> int:
    """How many numbers the checkpoint holds; tied weights count once."""
    return sum(value.numel() for value in model.parameters())


def main(argv: Sequence[str] | None = None) -> int:
    """Export a run."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.export", description=__doc__)
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        default=Path("build/train/small/whole/model"),
        help="checkpoint folder of a run's last stage",
    )
    parser.add_argument("--log", type=Path, help="the run's log.jsonl (default: two folders above the checkpoint)")
    parser.add_argument("--out", type=Path, default=Path("build/train/vigil-small"), help="folder of the checkpoint")
    parser.add_argument("--exam", type=Path, help="the JSON file of an exam of these weights, for the model card")
    parser.add_argument("--note", action="append", default=[], help="a remark for the model card; may be repeated")
    options = parser.parse_args(argv)
    exam = json.loads(options.exam.read_text()) if options.exam else None
    log = options.log or options.source.parent.parent / "log.jsonl"
    try:
        export(options.source, options.out, log, exam, options.note)
    except (ExportError, CheckpointError) as error:
        sys.stderr.write(f"export: {error}\n")
        return 1
    sys.stdout.write(f"exported to {options.out}; examine it with: vigil eval --model-dir {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
