"""Tensors of one step, from token sequences and frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vigil_recipe.lessons.frame_labels import FRAME_LABELS, label_frames
from vigil_recipe.render.clips import Clip, clip_path, load_clip
from vigil_recipe.render.frames import from_jpeg
from vigil_recipe.text.sequences import IGNORED, Role, Sequenced
from vigil_recipe.world import Split, Stage

Group = tuple[tuple[int, int], int]
K = TypeVar("K")


class Batch(TypedDict):
    """``ids``, ``labels`` and ``roles`` (B, L); ``lengths`` (S) of the sequences, one a row, or more in the only row of
    a batch that ``joined`` made; ``frames`` in order, each a uint8 tensor (n, H, W, 3) of frames of one size;
    ``truth`` (N, labels) as ``label_frames`` gives it, or (0, labels) where nothing is known."""

    ids: Tensor
    labels: Tensor
    roles: Tensor
    lengths: Tensor
    frames: list[Tensor]
    truth: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A clip and what its frames show (``label_frames``)."""

    clip: Clip
    labels: npt.NDArray[np.float32]

    def turn_beside_change(self, rng: np.random.Generator) -> int:
        """A turn just before or just after a condition begins or ends; any turn where none does.

        These frames decide when to speak, and they are few: for example an owner who still stands beside the bag.
        """
        truth = self.clip.truth
        changes = [turn for turn in range(1, len(truth)) if truth[turn] != truth[turn - 1]]
        if not changes:
            return int(rng.integers(len(truth)))
        return int(changes[rng.integers(len(changes))] - rng.integers(2))


class ClipPool:
    """All clips of a folder, in memory as JPEG, grouped by what can share a batch: frame size and pictures a turn.

    ``counts`` bounds the clips of each stage; a stage that is not named is left out. None takes all there are.
    """

    def __init__(self, folder: Path, split: Split, counts: Mapping[Stage, int] | None = None) -> None:
        paths = _paths(folder, split, counts)
        if not paths:
            raise FileNotFoundError(
                f"no {split.value} clips in {folder}: run python -m vigil_recipe.render.clips first"
            )
        self._groups: dict[Group, dict[Stage, list[Seen]]] = defaultdict(lambda: defaultdict(list))
        for path in paths:
            clip = load_clip(path)
            stage = clip.episode.stage if clip.episode else Stage.PLAIN
            self._groups[clip.size, clip.images][stage].append(Seen(clip, label_frames(clip)))
        self._keys = sorted(self._groups)
        sizes = [sum(map(len, self._groups[key].values())) for key in self._keys]
        self._chances = np.array(sizes) / len(paths)

    def __iter__(self) -> Iterator[Seen]:
        for key in self._keys:
            for stage in sorted(self._groups[key]):
                yield from self._groups[key][stage]

    def pick_group(self, rng: np.random.Generator) -> Group:
        """A frame size and pictures a turn, by how many clips have them."""
        return self._keys[rng.choice(len(self._keys), p=self._chances)]

    def stages(self, group: Group) -> frozenset[Stage]:
        """The stages of a group's clips."""
        return frozenset(self._groups[group])

    def pick(self, rng: np.random.Generator, group: Group, stages: Mapping[Stage, float]) -> Seen:
        """A clip of a group on one of ``stages``, drawn by their shares. Raises KeyError when the group has none."""
        have = {stage: stages[stage] for stage in sorted(self._groups[group]) if stages.get(stage, 0) > 0}
        if not have:
            raise KeyError(f"no clips of {group} on {', '.join(stages)}")
        clips = self._groups[group][draw(rng, have)]
        return clips[rng.integers(len(clips))]


def draw(rng: np.random.Generator, shares: Mapping[K, float]) -> K:
    """One key by its share."""
    names = list(shares)
    chances = np.array([shares[name] for name in names])
    return names[rng.choice(len(names), p=chances / chances.sum())]


def _paths(folder: Path, split: Split, counts: Mapping[Stage, int] | None) -> list[Path]:
    if counts is None:
        return sorted(folder.glob(f"{split.value}-*[0-9].npz"))
    wanted = [clip_path(folder, split, seed, stage) for stage, count in counts.items() for seed in range(count)]
    missing = [path for path in wanted if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{missing[0]} is not there: run python -m vigil_recipe.render.clips first")
    return wanted


def collate(made: Sequence[Sequenced], frames: list[Tensor], truth: Tensor) -> Batch:
    """Pad to the right: in a causal model no token attends to what follows it, so the padding needs no mask."""
    longest = max((len(sequence.ids) for sequence in made), default=0)
    ids = torch.zeros(len(made), longest, dtype=torch.long)
    labels = torch.full((len(made), longest), IGNORED)
    roles = torch.full((len(made), longest), int(Role.WORD))
    for row, sequence in enumerate(made):
        size = len(sequence.ids)
        ids[row, :size] = torch.tensor(sequence.ids)
        labels[row, :size] = torch.tensor(sequence.labels)
        roles[row, :size] = torch.tensor(sequence.roles)
    return {
        "ids": ids,
        "labels": labels,
        "roles": roles,
        "lengths": torch.tensor([len(sequence.ids) for sequence in made], dtype=torch.long),
        "frames": frames,
        "truth": truth,
    }


def joined(made: Sequence[Sequenced], frames: list[Tensor], truth: Tensor) -> Batch:
    """All sequences behind one another in one row, without any padding; none attends to another (``learning.decide``).

    The first token of each is never learnt, so no label crosses from one to the next.
    """
    ids = torch.tensor([[id_ for sequence in made for id_ in sequence.ids]])
    return {
        "ids": ids,
        "labels": torch.tensor([[label for sequence in made for label in sequence.labels]]),
        "roles": torch.tensor([[int(role) for sequence in made for role in sequence.roles]]),
        "lengths": torch.tensor([len(sequence.ids) for sequence in made]),
        "frames": frames,
        "truth": truth,
    }


def decode(jpegs: Sequence[bytes]) -> list[Tensor]:
    """uint8 frames of one size as one tensor (N, H, W, 3), in a list; an empty list without any."""
    return [torch.from_numpy(np.stack([from_jpeg(jpeg) for jpeg in jpegs]))] if jpegs else []


def label_rows(rows: Sequence[npt.NDArray[np.float32]]) -> Tensor:
    """One row for each frame: (N, labels)."""
    return torch.from_numpy(np.stack(rows)) if rows else torch.zeros(0, len(FRAME_LABELS))
