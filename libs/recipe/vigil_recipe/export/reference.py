"""The exported checkpoint in the stock Hugging Face implementation, the reference that serving must agree with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoProcessor, AutoTokenizer, Qwen3VLForConditionalGeneration

from vigil_recipe.render.frames import from_jpeg
from vigil_recipe.text import prompt_format


class Reference:
    """Loads an exported folder through the stock classes, in bfloat16."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._processor = AutoProcessor.from_pretrained(folder)
        self._model = Qwen3VLForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16).eval()

    def decisions(
        self, lines: Sequence[Sequence[str]], said: Sequence[str], jpegs: Sequence[bytes], image_tokens: int
    ) -> tuple[list[list[str]], list[int]]:
        """What token the reference would say next at each place of each turn's reply, its end included, after all that
        was said up to there; and the prompt lengths."""
        text, ends, stops = prompt_format.system_block(), [], []
        for turn, (new, reply) in enumerate(zip(lines, said, strict=True)):
            text += prompt_format.user_block(new, float(turn), [image_tokens])
            ends.append(self._length(text))
            stops.append(self._length(text + reply))
            text += prompt_format.reply_block(reply)
        ids = torch.tensor([self._tokenizer(text, add_special_tokens=False).input_ids])
        images = self._processor.image_processor(images=[from_jpeg(jpeg) for jpeg in jpegs], return_tensors="pt")
        with torch.no_grad():
            logits = self._model(
                input_ids=ids,
                pixel_values=images["pixel_values"].to(torch.bfloat16),
                image_grid_thw=images["image_grid_thw"],
                mm_token_type_ids=(ids == self._model.config.image_token_id).int(),
                use_cache=False,
            ).logits[0]
        best = logits.argmax(-1).tolist()
        spans = zip(ends, stops, strict=True)
        return [[self._tokenizer.decode(token) for token in best[end - 1 : stop]] for end, stop in spans], ends

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False).input_ids)
