"""The model card: what the weights are, how they were made and what they score."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CARD = """---
license: apache-2.0
pipeline_tag: image-text-to-text
---
# vigil-small

A very small interaction model ({parameters:.1f} M parameters) in the stock Qwen3-VL architecture. It watches one
fixed camera, one frame a second, and says each second either `</silence>` or `</response> …`. It was trained from
nothing, by this repository's recipe, on this repository's procedural world, so that Vigil's first run needs no
download. It knows that world's drawn scenes and nothing else: on real cameras its answers mean nothing.

## What it does
- Standing instructions for four conditions: a fire, a fallen person, an object left behind, an open door; one or two
  at a time, e.g. "Alert me when a fire starts." or "Let me know when the door opens." Cleared by
  "Stop watching: " and the same text. While an asked-for condition holds it says the same sentence every second.
- "What do you see?" is answered once, with a list.
- It should stay silent on everything else: conditions nobody asked for, clothes, lamps and screens in the colours of
  fire, people who crouch or carry a bag, animals, cars, changing light.
- It never delegates; `</delegation>` is in the vocabulary but was not trained.

## Input
ChatML with the system text "You watch a camera."; each user turn is the new lines, one marker such as
`<12.0 seconds>`, then the image. Frames of 160x96 become 15 visual tokens; 128x96 and 128x128 were trained too. The
chat template writes content parts one after the other as they are: separate two images of one turn with a text part of
one newline. Decode greedily.

## Training
- Data: `vigil_recipe.clips`, train seeds only, 100 frames a clip, JPEG-decoded frames as serving sees them.
  Validation and test episodes come from seed sequences that hash the split's name, so no episode is in two splits.
- Stage 1: the vision tower alone, conditions of single frames. Stage 2: the whole model with the weighted
  objective (first silence 1, repeated 0.4, response 1.5), dense descriptions first, then interactions of 12 to 96
  turns, with planted mistakes in the history that carry no loss.
- {steps} optimiser steps in all, AdamW, bfloat16 autocast, on two CPU cores{duration}. Seed 20.
{notes}
## Scores
{scores}
"""


def write_card(
    path: Path, log: Path, parameters: int, steps: int, scores: Mapping[str, object], notes: Sequence[str]
) -> None:
    """Fill in the card from the run's log, the scores of ``vigil_recipe.check`` and remarks about the run."""
    text = CARD.format(
        parameters=parameters / 1e6,
        steps=steps,
        duration=_duration(log),
        notes="".join(textwrap.fill(f"- {note}", 119, subsequent_indent="  ") + "\n" for note in notes),
        scores=_score_lines(log, scores),
    )
    path.write_text(text)


def _notes(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def _duration(log: Path) -> str:
    """Minutes of training: the elapsed time of every start of the run, added up."""
    total = last = 0.0
    for note in _notes(log):
        elapsed_s = float(note["elapsed_s"])
        total, last = total + (elapsed_s - last if elapsed_s >= last else elapsed_s), elapsed_s
    return f" in {total / 60:.0f} minutes" if total else ""


def _score_lines(log: Path, scores: Mapping[str, object]) -> str:
    lines = [f"- {name.replace('_', ' ')}: {value}" for name, value in scores.items()]
    validation = [note["validation"] for note in _notes(log) if "validation" in note]
    if validation:
        counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in validation[-1].items())
        lines.append(f"- validation in training (48-turn windows, mistakes planted in the history): {counts}")
    return "\n".join(lines) or "Not measured."
