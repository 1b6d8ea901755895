"""Clips: rendered episodes as JPEG frames with their truth, on disk, so that training never waits for drawing.

``python -m vigil_recipe.render.clips --split train --stage sign --count 500 --out build/train/clips``
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vigil_recipe.render.frames import fit, from_jpeg, to_jpeg
from vigil_recipe.world import Episode, Kind, Split, Stage, make_episode, render
from vigil_recipe.world.episode import seed_sequence

SIZES = ((160, 96), (128, 96), (128, 128))
SIZE_CHANCE = (0.74, 0.13, 0.13)
FRAMES = 100
SECOND_IMAGE_S = 0.4
LATEST_PHASE_S = 0.45


@dataclass(frozen=True, slots=True)
class Clip:
    """``images`` JPEG frames a turn, turn by turn, and the conditions that hold at each turn.

    ``episode`` is what was rendered; None only for a clip that was put together by hand.
    """

    size: tuple[int, int]
    images: int
    jpegs: tuple[bytes, ...]
    truth: tuple[frozenset[Kind], ...]
    episode: Episode | None = None

    @property
    def turns(self) -> int:
        """Number of one-second turns."""
        return len(self.truth)

    def frames_at(self, turn: int) -> tuple[bytes, ...]:
        """The JPEG frames of one turn, in time order."""
        return self.jpegs[turn * self.images : (turn + 1) * self.images]


def render_clip(seed: int, split: Split, stage: Stage = Stage.PLAIN) -> Clip:
    """The clip of a seed: 100 frames of its episode through a random camera (size, quality, source, sampling phase)."""
    rng = np.random.default_rng(seed_sequence(seed, split).spawn(1)[0])
    size = SIZES[rng.choice(len(SIZES), p=SIZE_CHANCE)]
    images = 2 if rng.random() < 0.08 else 1
    turns = FRAMES // images
    source = (640, 384) if rng.random() < 0.2 else (320, 192)
    recompressed = int(rng.integers(35, 85)) if rng.random() < 0.35 else None
    quality = int(rng.integers(75, 96))
    latest_s = LATEST_PHASE_S if images == 1 else LATEST_PHASE_S - SECOND_IMAGE_S
    phase_s = float(rng.choice([0.0, rng.uniform(0, latest_s)]))
    episode = make_episode(seed, split, turns, stage=stage)
    jpegs = []
    for turn in range(turns):
        for image in range(images):
            pixels = render(episode, turn + phase_s + image * SECOND_IMAGE_S, source)
            if recompressed is not None:
                pixels = from_jpeg(to_jpeg(pixels, recompressed))
            jpegs.append(to_jpeg(fit(pixels, size), quality))
    return Clip(size, images, tuple(jpegs), tuple(episode.truth(turn) for turn in range(turns)), episode)


def save_clip(clip: Clip, path: Path) -> None:
    """Write one clip as an .npz file, whole or not at all. The episode is written as its seed, split and stage."""
    kinds = list(Kind)
    bits = [sum(1 << kinds.index(kind) for kind in truth) for truth in clip.truth]
    part = path.with_suffix(".part.npz")
    episode = clip.episode
    np.savez(
        part,
        blob=np.frombuffer(b"".join(clip.jpegs), dtype=np.uint8),
        lengths=np.array([len(jpeg) for jpeg in clip.jpegs], dtype=np.int32),
        truth=np.array(bits, dtype=np.uint8),
        shape=np.array([*clip.size, clip.images], dtype=np.int32),
        seed=np.array(-1 if episode is None else episode.seed),
        split=np.array("" if episode is None else episode.split.value),
        stage=np.array("" if episode is None else episode.stage.value),
    )
    part.rename(path)


def load_clip(path: Path) -> Clip:
    """Read one clip written by ``save_clip``, its episode made again from its seed.

    Older files hold no seed. It is read from the file's name (see ``clip_path``), and their stage is plain.
    Raises ValueError when the episode is no longer the one that was rendered: such clips must be rendered again.
    """
    with np.load(path) as data:
        blob, ends = data["blob"].tobytes(), np.cumsum(data["lengths"])
        width, height, images = (int(value) for value in data["shape"])
        bits = [int(value) for value in data["truth"]]
        source = (str(data["split"]), str(data["stage"]), int(data["seed"])) if "seed" in data else _named(path)
    starts = [0, *ends[:-1]]
    jpegs = tuple(blob[start:end] for start, end in zip(starts, ends, strict=True))
    truth = tuple(frozenset(kind for index, kind in enumerate(Kind) if value >> index & 1) for value in bits)
    return Clip((width, height), images, jpegs, truth, _remade(path, source, truth))


def _named(path: Path) -> tuple[str, str, int] | None:
    named = re.fullmatch(rf"({'|'.join(Split)})-(\d+)", path.stem)
    return (named[1], Stage.PLAIN.value, int(named[2])) if named else None


def _remade(path: Path, source: tuple[str, str, int] | None, truth: tuple[frozenset[Kind], ...]) -> Episode | None:
    if source is None or source[2] < 0:
        return None
    split, stage, seed = source
    episode = make_episode(seed, Split(split), len(truth), stage=Stage(stage))
    if tuple(episode.truth(turn) for turn in range(len(truth))) != truth:
        raise ValueError(f"{path} shows another episode than seed {seed} gives now: delete it and render it again")
    return episode


def clip_path(folder: Path, split: Split, seed: int, stage: Stage = Stage.PLAIN) -> Path:
    """Where the clip of a seed lies. Plain clips have no stage in their name."""
    middle = "" if stage is Stage.PLAIN else f"{stage.value}-"
    return folder / f"{split.value}-{middle}{seed:06d}.npz"


def render_clips(
    folder: Path, split: Split, count: int, *, stage: Stage = Stage.PLAIN, first: int = 0, stride: int = 1
) -> None:
    """Render the clips of seeds ``first``, ``first + stride``, … below ``count`` that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [seed for seed in range(first, count, stride) if not clip_path(folder, split, seed, stage).exists()]
    for seed in missing:
        save_clip(render_clip(seed, split, stage), clip_path(folder, split, seed, stage))
        sys.stdout.write(f"\r{split.value} clips: {seed + 1}/{count}")
        sys.stdout.flush()
    if missing:
        sys.stdout.write("\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Render clips that are not there yet."""
    parser = argparse.ArgumentParser(prog="vigil_recipe.render.clips", description=__doc__)
    parser.add_argument("--split", type=Split, choices=list(Split), default=Split.TRAIN)
    parser.add_argument("--stage", type=Stage, choices=list(Stage), default=Stage.PLAIN)
    parser.add_argument("--count", type=int, default=500, help="how many clips (100 frames each)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first one")
    parser.add_argument("--stride", type=int, default=1, help="seed step, to share the work among processes")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(argv)
    if options.count < 1 or options.first < 0 or options.stride < 1:
        parser.error("--count and --stride are 1 or more, --first is 0 or more")
    numbers = {"first": options.first, "stride": options.stride}
    render_clips(options.out, options.split, options.count, stage=options.stage, **numbers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
