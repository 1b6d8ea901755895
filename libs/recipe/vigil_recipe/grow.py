"""Grow a trained small model, to more layers and a new vocabulary:
``python -m vigil_recipe.grow --from models/vigil-small``.

New layers come last and begin as the identity (their output projections are zero), so the deeper model says at first
exactly what the shallower one said. Embeddings are taken over by the token's string; a token that the old vocabulary
did not have begins near the mean of all.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import Qwen3VLForConditionalGeneration

from vigil_recipe import checkpoint as checkpoints
from vigil_recipe.checkpoint import Checkpoint, CheckpointError
from vigil_recipe.model import make_config
from vigil_recipe.tokenizer import SPECIAL, as_pretrained, train_tokenizer

EMBEDDING = "model.language_model.embed_tokens.weight"
HEAD = "lm_head.weight"
OUTPUT_PROJECTIONS = ("self_attn.o_proj.weight", "mlp.down_proj.weight")
NOISE = 0.02  # standard deviation, the model's own at the start
LAYER = "model.language_model.layers."


def grow_state(
    old: Mapping[str, Tensor], fresh: Mapping[str, Tensor], old_tokens: Mapping[str, int], new_tokens: Mapping[str, int]
) -> dict[str, Tensor]:
    """The state of a larger model, begun from a smaller one's.

    ``fresh`` is a random state of the larger model; every tensor of ``old`` must be there with the same shape, but for
    the two tied embeddings. Raises ValueError where one is not.
    """
    state = {name: value.clone() for name, value in fresh.items()}
    for name, value in old.items():
        if name in (EMBEDDING, HEAD):
            continue
        if name not in state or state[name].shape != value.shape:
            there = tuple(state[name].shape) if name in state else "nothing"
            raise ValueError(f"{name} of shape {tuple(value.shape)} does not fit the larger model, which has {there}")
        state[name] = value.clone()
    for name in state.keys() - old.keys():
        if name.startswith(LAYER) and name.endswith(OUTPUT_PROJECTIONS):
            state[name] = torch.zeros_like(state[name])
    state[EMBEDDING] = grow_rows(old[EMBEDDING], old_tokens, new_tokens)
    if HEAD in state:
        state[HEAD] = state[EMBEDDING]
    return state


def grow_rows(rows: Tensor, old_tokens: Mapping[str, int], new_tokens: Mapping[str, int]) -> Tensor:
    """Embedding rows (new vocabulary, width) from ``rows`` (old vocabulary, width), by the tokens' strings."""
    generator = torch.Generator().manual_seed(0)
    shape = (max(new_tokens.values()) + 1, rows.shape[1])
    grown = rows.float().mean(0) + NOISE * torch.randn(shape, generator=generator)
    for token, index in new_tokens.items():
        if token in old_tokens:
            grown[index] = rows[old_tokens[token]].float()
    return grown.to(rows.dtype)


def deepen(start: Checkpoint, layers: int) -> Checkpoint:
    """The same model and vocabulary with ``layers`` layers. Raises CheckpointError when it has more already."""
    return regrow(start, start.encoder, layers)


def regrow(start: Checkpoint, tokenizer: Tokenizer, layers: int) -> Checkpoint:
    """The model with ``layers`` layers and the vocabulary of ``tokenizer``."""
    have = start.model.config.text_config.num_hidden_layers
    if layers < have:
        raise CheckpointError(f"the model has {have} layers already: it cannot grow to {layers}")
    token_ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    model = Qwen3VLForConditionalGeneration(make_config(tokenizer.get_vocab_size(), token_ids, layers))
    model.load_state_dict(
        grow_state(stock_state(start.model), model.state_dict(), start.encoder.get_vocab(), tokenizer.get_vocab())
    )
    return replace(
        start,
        model=model,
        tokenizer=as_pretrained(tokenizer),
        processor_files=checkpoints.small_processor_files(),
    )


def stock_state(model: Qwen3VLForConditionalGeneration) -> dict[str, Tensor]:
    """The model's own tensors, without a training aid's."""
    return {name: value for name, value in model.state_dict().items() if not name.startswith("probe.")}


def load_source(source: Path, tokenizer: Path | None) -> Checkpoint:
    """A checkpoint folder, or a ``state.pt`` with the tokenizer of the folder ``tokenizer``. Raises CheckpointError."""
    if source.is_dir():
        return checkpoints.load(str(source))
    if not source.exists():
        raise CheckpointError(f"{source} is not there")
    if tokenizer is None:
        raise CheckpointError(f"{source} has no tokenizer of its own: name a folder that has it with --tokenizer")
    saved = torch.load(source, weights_only=True)
    have = checkpoints.load(str(tokenizer))
    encoder = have.encoder
    layers = 1 + max(int(name.removeprefix(LAYER).split(".")[0]) for name in saved["model"] if name.startswith(LAYER))
    token_ids = {token: encoder.token_to_id(token) for token in SPECIAL}
    model = Qwen3VLForConditionalGeneration(make_config(len(saved["model"][EMBEDDING]), token_ids, layers))
    model.load_state_dict(saved["model"])
    return replace(have, model=model, probe=saved.get("probe"))


def main(argv: Sequence[str] | None = None) -> int:
    """Grow a checkpoint."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.grow", description=__doc__)
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="checkpoint folder, or the state.pt of an older run"
    )
    parser.add_argument("--tokenizer", type=Path, help="with a state.pt: a checkpoint folder with its tokenizer")
    parser.add_argument("--out", type=Path, default=Path("build/train/grown"), help="folder of the larger checkpoint")
    parser.add_argument("--layers", type=int, default=6, help="layers of the language model")
    options = parser.parse_args(argv)
    try:
        start = load_source(options.source, options.tokenizer)
        grown = regrow(start, train_tokenizer(), options.layers)
    except (CheckpointError, ValueError, FileNotFoundError) as error:
        sys.stderr.write(f"grow: {error}\n")
        return 1
    checkpoints.save(grown, options.out)
    known = start.encoder.get_vocab().keys() & grown.encoder.get_vocab().keys()
    count = sum(value.numel() for value in grown.model.parameters())
    sys.stdout.write(
        f"grown: {options.out}: {options.layers} layers, {count / 1e6:.2f} M parameters, "
        f"{len(known)} of {grown.encoder.get_vocab_size()} tokens taken over\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
