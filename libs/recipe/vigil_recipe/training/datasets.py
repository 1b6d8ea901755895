"""Endless streams of batches over the world for each stage, assembled in worker processes.

Batch ``n`` of a stream depends only on the seed, ``n`` and the process's rank, so a resumed run sees the same batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import IterableDataset

from vigil_recipe.lessons.samples import EVERYWHERE, WORDS_ALONE, sample_world, stages_of
from vigil_recipe.render.clips import FRAMES
from vigil_recipe.render.frames import visual_tokens
from vigil_recipe.text.sequences import Sequencer
from vigil_recipe.training.batches import Batch, ClipPool, collate, decode, draw, label_rows
from vigil_recipe.training.settings import Phase, Stage

BESIDE_CHANGE = 0.5  # this share of the single frames is taken just before or after a condition changes
BLIND_TURNS = 2  # turns without a picture that cost about as much as one with it
INTERACTION_STREAM, FRAME_STREAM = 0, 1


class Interactions(IterableDataset[Batch]):  # type: ignore[misc]  # torch is not in the workspace environment
    """Batches of a stage's interactions from batch ``first`` on; ``total`` batches make the whole stage."""

    def __init__(
        self, pool: ClipPool, tokenizer: Tokenizer, stage: Stage, *, first: int, total: int, seed: int, rank: int = 0
    ) -> None:
        self._pool, self._tokenizer, self._stage = pool, tokenizer, stage
        self._first, self._total, self._seed, self._rank = first, total, seed, rank

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        sequencer = Sequencer(self._tokenizer)
        for number in _share_of_worker(self._first, self._total):
            rng = np.random.default_rng([self._seed, number, INTERACTION_STREAM, self._rank])
            phase = phase_at(self._stage.phases, number / self._total)
            yield interaction_batch(self._pool, sequencer, rng, phase, self._stage.turn_budget)


class Frames(IterableDataset[Batch]):  # type: ignore[misc]
    """Batches of ``frames`` single frames with their truth, for learning to see."""

    def __init__(self, pool: ClipPool, frames: int, *, first: int, total: int, seed: int, rank: int = 0) -> None:
        self._frames = frames
        self._pool, self._first, self._total, self._seed, self._rank = pool, first, total, seed, rank

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        for number in _share_of_worker(self._first, self._total):
            rng = np.random.default_rng([self._seed, number, FRAME_STREAM, self._rank])
            group = self._pool.pick_group(rng)
            jpegs, labels = [], []
            for _ in range(self._frames):
                seen = self._pool.pick(rng, group, EVERYWHERE)
                beside = rng.random() < BESIDE_CHANGE
                turn = seen.turn_beside_change(rng) if beside else int(rng.integers(seen.clip.turns))
                jpegs.append(seen.clip.frames_at(turn)[-1])
                labels.append(seen.labels[turn])
            yield collate([], decode(jpegs), label_rows(labels))


def phase_at(phases: Sequence[Phase], progress: float) -> Phase:
    """The curriculum's phase at ``progress`` in [0, 1]."""
    return next((phase for phase in phases if progress < phase.until), phases[-1])


def interaction_batch(
    pool: ClipPool, sequencer: Sequencer, rng: np.random.Generator, phase: Phase, turn_budget: int
) -> Batch:
    """One batch of as many episodes of one drawn length as fit ``turn_budget`` turns, each with its frames.

    A blind batch has no frames, so that it fits more turns for the same work.
    """
    blind = bool(phase.blind) and rng.random() < phase.blind
    length = int(draw(rng, phase.turns))
    group = pool.pick_group(rng)
    size, images = group
    budget = turn_budget * BLIND_TURNS if blind else turn_budget // images
    length = min(length, FRAMES // images, budget) if images > 1 else length
    mix = {
        kind: share
        for kind, share in phase.mix.items()
        if pool.stages(group) & stages_of(kind).keys() and (kind in WORDS_ALONE or not blind)
    }
    made, jpegs, labels, used = [], [], [], 0
    while used + length <= budget:
        kind = draw(rng, mix)
        seen = pool.pick(rng, group, stages_of(kind))
        sample = sample_world(kind, rng, seen.clip, length, thin=phase.thin, blind=blind)
        pictures = sample.jpegs(seen.clip)
        made.append(sequencer.sequence(sample.exchanges, [visual_tokens(size)] * len(pictures)))
        jpegs += pictures
        labels += [seen.labels[turn] for turn in sample.shown for _ in range(sample.images)]
        used += max(len(sample.exchanges), len(sample.shown))
    return collate(made, decode(jpegs), label_rows(labels))


def _share_of_worker(first: int, total: int) -> range:
    """The numbers of this loader process; a loader takes from its processes in turn, so the order is kept."""
    worker = torch.utils.data.get_worker_info()
    return range(first, total) if worker is None else range(first + worker.id, total, worker.num_workers)
