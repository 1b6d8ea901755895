"""Train the small model: ``python -m vigil_recipe.train`` (about an hour on two cores).

Clips that are not there yet are rendered first.

Two stages. First the vision tower alone learns to see the conditions in single frames; then the whole model learns
when to speak, on dense descriptions at first and on ever longer interactions after. Stops and resumes at any time.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.utils.data import DataLoader
from transformers import Qwen3VLForConditionalGeneration

from vigil_recipe.batches import Batch, ClipPool, Frames, Interactions
from vigil_recipe.clips import render_clips
from vigil_recipe.model import ConditionProbe, grid_of, make_config, make_model, patchify
from vigil_recipe.objective import weighted_loss
from vigil_recipe.samples import IGNORED
from vigil_recipe.tokenizer import SPECIAL, VOCABULARY, train_tokenizer
from vigil_recipe.validation import Scores, score
from vigil_recipe.world import Split

SEED = 20
WARM_UP = 100
PROBE_WEIGHT = 1.0
SAVE_EVERY = 100
VALIDATION_CLIPS = 24


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run is made of; equal settings, clips and thread count give an equal run.

    ``sight_share`` is the vision tower's share of the rate in the second stage: at the full rate the young language
    model's gradients undo what it has learnt.
    """

    clips: Path
    out: Path
    sight_steps: int
    steps: int
    sight_rate: float
    rate: float
    sight_share: float = 0.5


class Trainer:
    """The model, its optimiser and the run's folder (``log.jsonl``, ``state.pt``)."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(SEED)
        self.settings = settings
        self.tokenizer: Tokenizer = train_tokenizer()
        token_ids = {token: self.tokenizer.token_to_id(token) for token in SPECIAL}
        self.model: Qwen3VLForConditionalGeneration = make_model(make_config(VOCABULARY, token_ids))
        self.probe = ConditionProbe()
        self.seen: list[Tensor] = []
        self.model.model.visual.merger.register_forward_hook(lambda _module, _inputs, output: self.seen.append(output))
        self.step = 0
        self.began_at = 0
        self.began_s = time.monotonic()
        self.optimiser = self._optimiser()
        settings.out.mkdir(parents=True, exist_ok=True)

    def _optimiser(self) -> torch.optim.AdamW:
        sight = [*self.model.model.visual.parameters(), *self.probe.parameters()]
        known = {id(value) for value in sight}
        language = [value for value in self.model.parameters() if id(value) not in known]
        groups = [
            {
                "params": [value for value in part if (value.ndim > 1) is wide],
                "weight_decay": 0.02 * wide,
                "sight": seen,
            }
            for part, seen in ((sight, True), (language, False))
            for wide in (True, False)
        ]
        return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98))

    @property
    def state_path(self) -> Path:
        return self.settings.out / "state.pt"

    def save(self) -> None:
        """Write the whole state, replacing the last one in one move."""
        part = self.state_path.with_suffix(".part")
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "probe": self.probe.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, part)
        part.rename(self.state_path)

    def resume(self) -> None:
        """Go on from the last saved state, if there is one."""
        if self.state_path.exists():
            state = torch.load(self.state_path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.probe.load_state_dict(state["probe"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.step = self.began_at = state["step"]

    def run(self) -> None:
        """Both stages, from wherever the last run stopped."""
        settings = self.settings
        pool = ClipPool(settings.clips, Split.TRAIN)
        held_out = ClipPool(settings.clips, Split.VALIDATION)
        if self.step < settings.sight_steps:
            frames = Frames(pool, self.step, settings.sight_steps, SEED)
            for batch in loaded(frames):
                rate = one_cycle(self.step / settings.sight_steps, settings.sight_rate, self.step)
                self.advance(self.sight_loss(batch), rate, rate)
        first = self.step - settings.sight_steps
        interactions = Interactions(pool, self.tokenizer, first, settings.steps, SEED)
        for batch in loaded(interactions):
            done = self.step - settings.sight_steps
            rate = one_cycle(done / settings.steps, settings.rate, done)
            self.advance(self.interaction_loss(batch), rate, rate * settings.sight_share)
            if self.step % SAVE_EVERY == 0 or done + 1 == settings.steps:
                self.report(score(self.model, self.tokenizer, held_out))
        self.save()

    def sight_loss(self, batch: Batch) -> dict[str, Tensor]:
        """Conditions from single frames through the vision tower alone."""
        self.seen.clear()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            self.model.model.visual(patchify(batch.frames), grid_thw=grid_of(batch.frames))
        return self.probe_loss(batch)

    def probe_loss(self, batch: Batch) -> dict[str, Tensor]:
        logits = self.probe(self.seen[-1], batch.frames.shape[0])
        loss = nn.functional.binary_cross_entropy_with_logits(logits, batch.truth)
        wrong = ((logits > 0) != (batch.truth > 0)).float().mean(0)
        return {"loss": loss, "sight_error": wrong.mean().detach(), "wrong": wrong.detach()}

    def interaction_loss(self, batch: Batch) -> dict[str, Tensor]:
        """The paper's objective over the interactions, with the probe as a light aid."""
        self.seen.clear()
        speaks = self.tokenizer.token_to_id("</response>")
        silent = self.tokenizer.token_to_id("</silence>")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self.model.model(
                input_ids=batch.ids,
                attention_mask=batch.mask if (batch.mask == 0).any() else None,
                pixel_values=patchify(batch.frames),
                image_grid_thw=grid_of(batch.frames),
                mm_token_type_ids=(batch.ids == self.model.config.image_token_id).int(),
                use_cache=False,
            ).last_hidden_state
            kept = batch.labels[:, 1:] != IGNORED
            logits = self.model.lm_head(hidden[:, :-1][kept])
        labels, weights = batch.labels[:, 1:][kept], batch.weights[:, 1:][kept]
        loss = weighted_loss(logits, labels, weights)
        probed = self.probe_loss(batch)
        control = (labels == speaks) | (labels == silent)
        right = (logits.argmax(-1) == labels)[control].float().mean()
        spoken = (logits.argmax(-1) == speaks)[labels == speaks].float().mean()
        return {
            "loss": loss + PROBE_WEIGHT * probed["loss"],
            "words": loss.detach(),
            "sight_error": probed["sight_error"],
            "control": right,
            "spoken": spoken,
        }

    def advance(self, losses: dict[str, Tensor], rate: float, sight_rate: float) -> None:
        """One optimiser step; a line to the console now and then, a line to the log every ten steps."""
        for group in self.optimiser.param_groups:
            group["lr"] = sight_rate if group["sight"] else rate
        self.optimiser.zero_grad()
        losses["loss"].backward()
        nn.utils.clip_grad_norm_([*self.model.parameters(), *self.probe.parameters()], 1.0)
        self.optimiser.step()
        self.step += 1
        if self.step % 10 == 0:
            self.note({name: value.tolist() for name, value in losses.items()})
        if self.step % SAVE_EVERY == 0:
            self.save()

    def report(self, scores: Scores) -> None:
        self.note({"validation": scores.as_dict()})

    def note(self, values: dict[str, object]) -> None:
        """One line for people and one for programs."""
        total = self.settings.sight_steps + self.settings.steps
        elapsed_s = time.monotonic() - self.began_s
        with (self.settings.out / "log.jsonl").open("a") as log:
            log.write(json.dumps({"step": self.step, "elapsed_s": round(elapsed_s, 1), **values}) + "\n")
        left_s = (total - self.step) * elapsed_s / max(1, self.step - self.began_at)
        shown = " ".join(f"{name}={_short(value)}" for name, value in values.items())
        sys.stdout.write(f"step {self.step}/{total} {elapsed_s:.0f}s left={left_s:.0f}s {shown}\n")
        sys.stdout.flush()


def _short(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def loaded(dataset: Frames | Interactions) -> Iterator[Batch]:
    """Batches made in one worker process, a few ahead of the model."""
    return iter(DataLoader(dataset, batch_size=None, num_workers=1, prefetch_factor=4))


def one_cycle(progress: float, peak: float, step: int) -> float:
    """Linear warm-up, then a cosine down to a fiftieth of the peak."""
    return peak * min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * progress)))


def main(argv: Sequence[str] | None = None) -> int:
    """Train or go on training."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.train", description=__doc__)
    parser.add_argument("--clips", type=Path, default=Path("build/train/clips"), help="folder of rendered clips")
    parser.add_argument("--clip-count", type=int, default=2600, help="training clips of 100 frames each")
    parser.add_argument("--out", type=Path, default=Path("build/train/run"), help="this run; resumed if it exists")
    parser.add_argument("--sight-steps", type=int, default=800)
    parser.add_argument("--steps", type=int, default=2800)
    parser.add_argument("--sight-rate", type=float, default=1e-3)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument(
        "--sight-share", type=float, default=0.5, help="the vision tower's share of the rate beside the language model"
    )
    options = vars(parser.parse_args(argv))
    count = options.pop("clip_count")
    settings = Settings(**options)
    render_clips(settings.clips, Split.VALIDATION, VALIDATION_CLIPS)
    render_clips(settings.clips, Split.TRAIN, count)
    trainer = Trainer(settings)
    trainer.resume()
    trainer.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
