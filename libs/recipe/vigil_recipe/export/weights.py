"""A trained checkpoint in the form that is served, with its model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vigil_recipe.export.model_card import write_card
from vigil_recipe.text.tokenizer import SPECIAL
from vigil_recipe.training import checkpoint as checkpoints

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
