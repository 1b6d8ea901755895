"""Batches: which interactions are learnt when, assembled in a worker process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.utils.data import IterableDataset

from vigil_recipe.clips import Clip, load_clip
from vigil_recipe.dialogue import Mode, sample_turns
from vigil_recipe.frames import from_jpeg, visual_tokens
from vigil_recipe.samples import IGNORED, Sequenced, Sequencer
from vigil_recipe.world import Kind, Split

TURN_BUDGET = 96
LENGTHS = (12, 24, 48, 96)
# Until this progress: the chance of each length, and the share of episodes that are dense descriptions.
STAGES = (
    (0.12, (1.0, 0.0, 0.0, 0.0), 1.0),
    (0.4, (0.9, 0.1, 0.0, 0.0), 0.25),
    (0.7, (0.45, 0.35, 0.15, 0.05), 0.12),
    (float("inf"), (0.3, 0.3, 0.2, 0.2), 0.12),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of one step: ids, labels and weights (B, L), mask (B, L), frames (N, H, W, 3) uint8, truth (N, kinds)."""

    ids: Tensor
    labels: Tensor
    weights: Tensor
    mask: Tensor
    frames: Tensor
    truth: Tensor


def plan(progress: float, rng: np.random.Generator) -> tuple[int, float]:
    """The curriculum: (turns of an episode, share of dense descriptions) at ``progress`` in [0, 1].

    First only descriptions, then watching over ever longer episodes, at an equal number of frames a step.
    """
    stage = next(stage for stage in STAGES if progress < stage[0])
    return LENGTHS[rng.choice(len(LENGTHS), p=stage[1])], stage[2]


class ClipPool:
    """All clips of a folder, in memory as JPEG, grouped by what can share a batch."""

    def __init__(self, folder: Path, split: Split, limit: int | None = None) -> None:
        paths = sorted(folder.glob(f"{split.value}-*[0-9].npz"))[:limit]
        if not paths:
            raise FileNotFoundError(f"no {split.value} clips in {folder}: run python -m vigil_recipe.clips first")
        self._groups: dict[tuple[tuple[int, int], int], list[Clip]] = defaultdict(list)
        for path in paths:
            clip = load_clip(path)
            self._groups[clip.size, clip.images].append(clip)
        self._keys = sorted(self._groups)
        self._chances = np.array([len(self._groups[key]) for key in self._keys]) / len(paths)

    def __iter__(self) -> Iterator[Clip]:
        for key in self._keys:
            yield from self._groups[key]

    def pick(self, rng: np.random.Generator, count: int) -> list[Clip]:
        """Clips of one size and image count, so that their frames form one array."""
        group = self._groups[self._keys[rng.choice(len(self._keys), p=self._chances)]]
        return [group[index] for index in rng.integers(len(group), size=count)]


class Interactions(IterableDataset[Batch]):  # type: ignore[misc]  # torch is not in the workspace environment
    """An endless stream of batches from step ``first`` on; batch ``n`` depends on the seed and ``n`` alone."""

    def __init__(self, pool: ClipPool, tokenizer: Tokenizer, first: int, steps: int, seed: int) -> None:
        self._pool, self._tokenizer = pool, tokenizer
        self._first, self._steps, self._seed = first, steps, seed

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        sequencer = Sequencer(self._tokenizer)
        for step in range(self._first, self._steps):
            rng = np.random.default_rng([self._seed, step])
            yield interaction_batch(self._pool, sequencer, rng, step / self._steps)


class Frames(IterableDataset[Batch]):  # type: ignore[misc]
    """An endless stream of frames with their truth alone, for learning to see."""

    def __init__(self, pool: ClipPool, first: int, steps: int, seed: int, count: int = 128) -> None:
        self._pool, self._first, self._steps, self._seed, self._count = pool, first, steps, seed, count

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        for step in range(self._first, self._steps):
            rng = np.random.default_rng([self._seed, step, 1])
            jpegs: list[bytes] = []
            truth: list[frozenset[Kind]] = []
            for clip in self._pool.pick(rng, self._count):
                turn = int(rng.integers(clip.turns))
                jpegs.append(clip.frames_at(turn)[-1])
                truth.append(clip.truth[turn])
            none = torch.empty(0)
            yield Batch(none, none, none, none, decode(jpegs), truth_rows(truth))


def interaction_batch(pool: ClipPool, sequencer: Sequencer, rng: np.random.Generator, progress: float) -> Batch:
    """One batch of as many episodes as fit the turn budget."""
    length, dense_share = plan(progress, rng)
    clips = pool.pick(rng, TURN_BUDGET // length)
    images = clips[0].images
    if images > 1:
        length, clips = min(length, 48), clips[: max(1, len(clips) // images)]
    made: list[Sequenced] = []
    jpegs: list[bytes] = []
    truth: list[frozenset[Kind]] = []
    for clip in clips:
        mode = Mode.DENSE if rng.random() < dense_share else Mode.IDLE if rng.random() < 0.06 else Mode.WATCH
        turns = sample_turns(rng, clip.truth, length, mode)
        made.append(sequencer.sequence(turns, images, visual_tokens(clip.size)))
        for turn in turns:
            jpegs += clip.frames_at(turn.clip_turn)
            truth += [clip.truth[turn.clip_turn]] * images
    return collate(made, decode(jpegs), truth_rows(truth))


def collate(made: list[Sequenced], frames: Tensor, truth: Tensor) -> Batch:
    """Pad to the right; equal lengths get no padding."""
    longest = max(len(one.ids) for one in made)
    ids = torch.zeros(len(made), longest, dtype=torch.long)
    labels = torch.full((len(made), longest), IGNORED)
    weights = torch.zeros(len(made), longest)
    mask = torch.zeros(len(made), longest, dtype=torch.long)
    for row, one in enumerate(made):
        size = len(one.ids)
        ids[row, :size] = torch.tensor(one.ids)
        labels[row, :size] = torch.tensor(one.labels)
        weights[row, :size] = torch.tensor(one.weights)
        mask[row, :size] = 1
    return Batch(ids, labels, weights, mask, frames, truth)


def decode(jpegs: list[bytes]) -> Tensor:
    """uint8 frames (N, H, W, 3)."""
    return torch.from_numpy(np.stack([from_jpeg(jpeg) for jpeg in jpegs]))


def truth_rows(truth: list[frozenset[Kind]]) -> Tensor:
    """One row of 0/1 per frame, a column per kind."""
    return torch.tensor([[float(kind in held) for kind in Kind] for held in truth])
