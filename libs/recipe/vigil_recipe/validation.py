"""Scores on held-out interactions during training, their history given, planted mistakes included.

``check`` scores a served model that runs freely, with its own replies as history.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import Qwen3VLForConditionalGeneration

from vigil_recipe.batches import ClipPool, collate, decode, truth_rows
from vigil_recipe.dialogue import RESPONSE, SILENCE, Mode, sample_turns
from vigil_recipe.frames import visual_tokens
from vigil_recipe.model import grid_of, patchify
from vigil_recipe.samples import Sequencer

TURNS = 48
CLIPS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts over the watched turns: speaking turns and those met; first speaking turns and those met; false alarms."""

    turns: int
    speaking: int
    spoken: int
    onsets: int
    onsets_met: int
    false_alarms: int
    kinds_right: int

    def as_dict(self) -> dict[str, int]:
        """For the log."""
        return asdict(self)


def score(model: Qwen3VLForConditionalGeneration, tokenizer: Tokenizer, pool: ClipPool) -> Scores:
    """The same dozen held-out interactions of 48 turns every time."""
    sequencer = Sequencer(tokenizer)
    speaks, silent = tokenizer.token_to_id(RESPONSE), tokenizer.token_to_id(SILENCE)
    totals = np.zeros(7, dtype=int)
    clips = list(pool)
    for index, clip in enumerate(clips[:: max(1, len(clips) // CLIPS)]):
        turns = sample_turns(np.random.default_rng([5, index]), clip.truth, TURNS, Mode.WATCH)
        made = sequencer.sequence(turns, clip.images, visual_tokens(clip.size))
        jpegs = [jpeg for turn in turns for jpeg in clip.frames_at(turn.clip_turn)]
        batch = collate([made], decode(jpegs), truth_rows([]))
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(
                input_ids=batch.ids,
                pixel_values=patchify(batch.frames),
                image_grid_thw=grid_of(batch.frames),
                mm_token_type_ids=(batch.ids == model.config.image_token_id).int(),
                use_cache=False,
            ).logits[0]
        guess = logits.argmax(-1)
        before = False
        for position, speaking in made.decisions:
            said = int(guess[position - 1]) == speaks
            quiet = int(guess[position - 1]) == silent
            right = bool((guess[position : position + 2] == batch.ids[0, position + 1 : position + 3]).all())
            onset = speaking and not before
            totals += [
                1,
                speaking,
                speaking and said,
                onset,
                onset and said,
                not speaking and not quiet,
                speaking and right,
            ]
            before = speaking
    return Scores(*(int(total) for total in totals))
