"""Checkpoints: a folder in the standard Hugging Face form, made fresh, loaded, or written whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from tokenizers import AddedToken, Tokenizer
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen3VLForConditionalGeneration

from vigil_recipe.scenarios import all_texts
from vigil_recipe.text.dialogue import DELEGATION, RESPONSE, SILENCE
from vigil_recipe.text.tokenizer import SPECIAL, as_pretrained, train_tokenizer
from vigil_recipe.training.model import MERGE, PATCH, make_config

SMALLEST_PIXELS = 32 * 32
LARGEST_PIXELS = 512 * 512
PROBE_FILE = "probe.pt"
PROCESSOR_FILES = (
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "processor_config.json",
    "chat_template.jinja",
    "chat_template.json",
)


class CheckpointError(Exception):
    """A checkpoint cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model in float32 with its tokenizer, and the processor's files by name, which training leaves as they are.

    ``probe`` holds the weights of the training aid, None where there is none; it is never exported. ``state`` holds
    the model's weights where training has left the model itself in pieces on several devices.
    """

    model: Qwen3VLForConditionalGeneration
    tokenizer: PreTrainedTokenizerBase
    processor_files: Mapping[str, str]
    probe: Mapping[str, Tensor] | None = None
    state: Mapping[str, Tensor] | None = None

    @property
    def encoder(self) -> Tokenizer:
        """The tokenizer itself, without the class around it."""
        return self.tokenizer.backend_tokenizer


def fresh(layers: int = 6) -> Checkpoint:
    """A new small model with random weights, and the tokenizer of all that the recipe's scenarios say."""
    tokenizer = Tokenizer.from_str(_trained_tokenizer())
    token_ids = {token: tokenizer.token_to_id(token) for token in SPECIAL}
    config = make_config(tokenizer.get_vocab_size(), token_ids, layers)
    return Checkpoint(Qwen3VLForConditionalGeneration(config), as_pretrained(tokenizer), small_processor_files())


@cache
def _trained_tokenizer() -> str:
    text: str = train_tokenizer(all_texts()).to_str()
    return text


def load(source: str, attention: str = "sdpa") -> Checkpoint:
    """The checkpoint in a folder, or of a name on the Hugging Face hub, with the control tokens as single tokens.

    ``attention`` names an implementation of Transformers. Tokens that the vocabulary lacks are added to it and to the
    model. Raises CheckpointError, also where the machine has not that attention.
    """
    folder = Path(source)
    if not folder.is_dir():
        if source.startswith((".", "/")) or source.count("/") != 1:
            raise CheckpointError(f"{source} is no folder: train or export a checkpoint there, or name one of the hub")
        folder = Path(snapshot_download(source))
    if not (folder / "config.json").exists():
        raise CheckpointError(f"{source} holds no config.json, so it is no checkpoint")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    try:
        model = Qwen3VLForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32, attn_implementation=attention
        )
    except ImportError as error:
        raise CheckpointError(f"{attention} cannot be used here, choose another hardware.attention: {error}") from None
    missing = [
        token
        for token in (SILENCE, RESPONSE, DELEGATION)
        if len(tokenizer(token, add_special_tokens=False).input_ids) != 1
    ]
    if missing:
        tokenizer.add_tokens([AddedToken(token, special=True, normalized=False) for token in missing])
        if len(tokenizer) > model.get_input_embeddings().num_embeddings:
            model.resize_token_embeddings(len(tokenizer))
    files = {name: (folder / name).read_text() for name in PROCESSOR_FILES if (folder / name).exists()}
    probe = folder / PROBE_FILE
    return Checkpoint(model, tokenizer, files, torch.load(probe, weights_only=True) if probe.exists() else None)


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write the folder, replacing what is there in one move when it is complete."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model = checkpoint.model
    state = model.state_dict() if checkpoint.state is None else checkpoint.state
    weights = {name: value for name, value in state.items() if not name.startswith("probe.")}
    model.save_pretrained(part, state_dict=weights)
    checkpoint.tokenizer.save_pretrained(part)
    for name, text in checkpoint.processor_files.items():
        (part / name).write_text(text)
    if checkpoint.probe is not None:
        torch.save(dict(checkpoint.probe), part / PROBE_FILE)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def small_processor_files() -> dict[str, str]:
    """The processor's files and the chat template of the small model, by name."""
    video = image_processor_config("Qwen3VLVideoProcessor") | {"video_processor_type": "Qwen3VLVideoProcessor"}
    del video["image_processor_type"]
    return {
        "preprocessor_config.json": as_json(image_processor_config("Qwen2VLImageProcessorFast")),
        "video_preprocessor_config.json": as_json(video),
        "chat_template.jinja": Path(__file__).with_name("chat_template.jinja").read_text(),
    }


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


def as_json(value: Mapping[str, object]) -> str:
    """One configuration file's text."""
    return json.dumps(value, indent=2) + "\n"
