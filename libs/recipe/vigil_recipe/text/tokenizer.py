"""The small model's own byte-level BPE, with the control tokens as single special tokens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen2Tokenizer

from vigil_recipe.text import dialogue, prompt_format
from vigil_recipe.world.episode import Kind

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
    dialogue.SILENCE,
    dialogue.RESPONSE,
    dialogue.DELEGATION,
)
# The Qwen2 pattern: every digit is a token of its own, so that any time marker is short and none is unknown.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
VOCABULARY = 1024


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Train the tokenizer on the dialogue, the time markers and ``texts``. The same texts give the same tokenizer."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(list(texts)), trainer)
    return tokenizer


def as_pretrained(tokenizer: Tokenizer) -> Qwen2Tokenizer:
    """The same tokenizer in the class that every Qwen3-VL processor loads."""
    return Qwen2Tokenizer(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        additional_special_tokens=[token for token in SPECIAL if token not in ("<|im_end|>", "<|endoftext|>")],
        model_max_length=32768,
    )


def _corpus(texts: Sequence[str]) -> Iterator[str]:
    for _ in range(5_000):  # as often as in use: the roles stand in every turn
        yield "system\nuser\nassistant\n"
    for _ in range(20):
        yield prompt_format.SYSTEM
        yield from (dialogue.DESCRIBE, dialogue.STOP, dialogue.NOTHING)
        for kind in Kind:
            yield from (f" {dialogue.ALERT[kind]}", f" I see {dialogue.SEEN[kind]}.", f", {dialogue.SEEN[kind]} and")
            yield from dialogue.wordings(kind)
        for text in texts:
            yield from (text, f" {text}")  # a user's line begins the text, a reply follows its control token
    for second in range(400):
        yield f"<{second}.0 seconds>\n"
