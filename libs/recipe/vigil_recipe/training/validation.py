"""Scores on held-out interactions during training, their history given, planted mistakes included.

The exam scores a served model that runs freely, with its own replies as history; this only shows how training goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from vigil_recipe.lessons.samples import sample_world, stages_of
from vigil_recipe.render.clips import Clip
from vigil_recipe.render.frames import visual_tokens
from vigil_recipe.text.dialogue import DELEGATION, RESPONSE
from vigil_recipe.text.sequences import Role, Sequenced, Sequencer
from vigil_recipe.training.batches import Batch, ClipPool, Seen, collate, decode, label_rows
from vigil_recipe.training.trainer import decide
from vigil_recipe.world import Stage

TURNS = 48
NEAR_TURNS = 2


@dataclass(slots=True)
class Scores:
    """Counts over the learnt turns of one kind of data.

    An onset is a turn that speaks after one that does not. It is ``met`` when the model speaks in that turn, ``late``
    when it first does within two turns, ``exact`` when the reply is right to the last token. Speech in a silent turn is
    ``early`` up to two turns before an onset, else a ``false_alarm``. ``right`` counts control tokens,
    ``silent`` the turns to be silent in.
    """

    turns: int = 0
    silent: int = 0
    right: int = 0
    onsets: int = 0
    met: int = 0
    exact: int = 0
    late: int = 0
    early: int = 0
    false_alarms: int = 0

    def add(
        self, speaks: Sequence[bool | None], said: Sequence[bool], right: Sequence[bool], exact: Sequence[bool]
    ) -> None:
        """Count one interaction, a value a turn; ``speaks`` is None at a turn that is not learnt."""
        onsets = [turn for turn, speaking in enumerate(speaks) if speaking and (turn == 0 or speaks[turn - 1] is False)]
        self.turns += sum(speaking is not None for speaking in speaks)
        self.silent += sum(speaking is False for speaking in speaks)
        self.right += sum(right)
        self.onsets += len(onsets)
        self.met += sum(said[turn] for turn in onsets)
        self.exact += sum(exact[turn] for turn in onsets)
        for turn in onsets:
            after = range(turn + 1, min(turn + 1 + NEAR_TURNS, len(speaks)))
            self.late += not said[turn] and any(speaks[later] and said[later] for later in after)
        for turn, speaking in enumerate(speaks):
            if speaking is False and said[turn]:
                near = any(turn < onset <= turn + NEAR_TURNS for onset in onsets)
                self.early += near
                self.false_alarms += not near

    def as_dict(self) -> dict[str, int]:
        """For the log."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Case:
    """One held-out interaction, ready to be scored."""

    kind: str
    made: Sequenced
    batch: Batch
    turns: int


@dataclass(frozen=True, slots=True)
class Validation:
    """The same held-out interactions every time: as many of each kind, spread over the pool."""

    cases: list[Case]
    speaking: frozenset[int]
    fast: bool = True
    bf16: bool = True

    def __call__(self, model: nn.Module) -> dict[str, dict[str, int]]:
        """Counts by kind of data."""
        scores: dict[str, Scores] = {}
        device = next(model.parameters()).device
        with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16, enabled=self.bf16):
            for case in self.cases:
                self._score(model, case, scores.setdefault(case.kind, Scores()), device)
        return {kind: score.as_dict() for kind, score in scores.items()}

    def _score(self, model: nn.Module, case: Case, scores: Scores, device: torch.device) -> None:
        positions = [at for _, start, end in case.made.decisions for at in range(start, end)]
        logits = decide(model, moved(case.batch, device), torch.tensor(positions, device=device) - 1, fast=self.fast)[0]
        guesses = dict(zip(positions, logits.argmax(-1).tolist(), strict=True))
        speaks: list[bool | None] = [None] * case.turns
        said, right, exact = ([False] * case.turns for _ in range(3))
        for turn, start, end in case.made.decisions:
            speaks[turn] = case.made.roles[start] in (Role.RESPONSE, Role.DELEGATION)
            said[turn] = guesses[start] in self.speaking
            right[turn] = guesses[start] == case.made.ids[start]
            exact[turn] = all(guesses[at] == case.made.ids[at] for at in range(start, end))
        scores.add(speaks, said, right, exact)


def make_validation(
    tokenizer: Tokenizer, pool: ClipPool, kinds: Iterable[str], cases: int, *, bf16: bool
) -> Validation:
    """``cases`` held-out interactions of each kind, of ``TURNS`` turns at most, on clips of stages that teach it.

    ``bf16`` scores in the precision that the run trains in.
    """
    sequencer = Sequencer(tokenizer)
    clips = list(pool)
    made = []
    for number, kind in enumerate(kinds):
        fitting = [seen for seen in clips if _stage(seen) in stages_of(kind)]
        for index in range(cases if fitting else 0):
            seen = fitting[index * len(fitting) // cases]
            made.append(_make_case(sequencer, kind, seen.clip, [5, number, index]))
    speaking = frozenset({tokenizer.token_to_id(RESPONSE), tokenizer.token_to_id(DELEGATION)})
    return Validation(made, speaking, bf16=bf16)


def _stage(seen: Seen) -> Stage:
    return seen.clip.episode.stage if seen.clip.episode else Stage.PLAIN


def _make_case(sequencer: Sequencer, kind: str, clip: Clip, seed: Sequence[int]) -> Case:
    sample = sample_world(kind, np.random.default_rng(list(seed)), clip, min(TURNS, clip.turns))
    jpegs = sample.jpegs(clip)
    made = sequencer.sequence(sample.exchanges, [visual_tokens(clip.size)] * len(jpegs))
    return Case(kind, made, collate([made], decode(jpegs), label_rows([])), len(sample.exchanges))


def moved(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    return {
        "ids": batch["ids"].to(device),
        "labels": batch["labels"].to(device),
        "roles": batch["roles"].to(device),
        "lengths": batch["lengths"].to(device),
        "frames": [frames.to(device) for frames in batch["frames"]],
        "truth": batch["truth"].to(device),
    }
