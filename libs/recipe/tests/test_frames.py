"""Frames and clips as serving would see them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vigil_recipe.render.clips import Clip, clip_path, load_clip, main, render_clip, save_clip
from vigil_recipe.render.frames import fit, from_jpeg, to_jpeg, visual_tokens
from vigil_recipe.world import Kind, Split, Stage, make_episode


def test_fit_averages_areas() -> None:
    pixels = np.zeros((192, 320, 3), np.uint8)
    pixels[::2] = 200
    assert fit(pixels, (160, 96)).shape == (96, 160, 3)
    assert np.all(fit(pixels, (160, 96)) == 100)
    assert fit(pixels, (320, 192)) is pixels


def test_fit_refuses_sizes_that_the_engine_would_rescale() -> None:
    with pytest.raises(ValueError, match="160x90 must be multiples of 32"):
        fit(np.zeros((180, 320, 3), np.uint8), (160, 90))


@pytest.mark.parametrize(("size", "tokens"), [((160, 96), 15), ((128, 96), 12), ((128, 128), 16)])
def test_visual_tokens(size: tuple[int, int], tokens: int) -> None:
    assert visual_tokens(size) == tokens


def test_jpeg_keeps_the_picture() -> None:
    pixels = np.full((96, 160, 3), (200, 90, 30), np.uint8)
    assert np.abs(from_jpeg(to_jpeg(pixels, 90)).astype(int) - pixels).max() <= 3


def test_a_clip_survives_the_disk(tmp_path: Path) -> None:
    clip = Clip((160, 96), 2, (b"a", b"bcd", b"", b"ef"), (frozenset(), frozenset({Kind.FALL, Kind.DOOR})))
    path = clip_path(tmp_path, Split.TEST, 12)
    save_clip(clip, path)
    assert load_clip(path) == clip
    assert clip.frames_at(1) == (b"", b"ef")
    assert [file.name for file in tmp_path.iterdir()] == ["test-000012.npz"]


def test_a_clip_is_its_seed() -> None:
    clip = render_clip(4, Split.VALIDATION)
    assert clip == render_clip(4, Split.VALIDATION)
    assert len(clip.jpegs) == 100 == clip.turns * clip.images
    assert from_jpeg(clip.jpegs[0]).shape == (clip.size[1], clip.size[0], 3)


def test_clips_are_rendered_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--split", "test", "--count", "1", "--out", str(tmp_path)]
    assert main(arguments) == 0
    before = clip_path(tmp_path, Split.TEST, 0).stat().st_mtime_ns
    assert main(arguments) == 0
    assert clip_path(tmp_path, Split.TEST, 0).stat().st_mtime_ns == before
    assert "test clips: 1/1" in capsys.readouterr().out


@pytest.mark.parametrize("stage", list(Stage))
def test_a_clip_knows_its_episode(tmp_path: Path, stage: Stage) -> None:
    path = clip_path(tmp_path, Split.TRAIN, 3, stage)
    clip = render_clip(3, Split.TRAIN, stage)
    save_clip(clip, path)
    assert load_clip(path) == clip
    assert clip.episode == make_episode(3, Split.TRAIN, clip.turns, stage=stage)


def old_file(path: Path, clip: Clip) -> None:
    """As files were written before the stages: without a seed."""
    save_clip(clip, path)
    with np.load(path) as data:
        kept = {name: data[name] for name in ("blob", "lengths", "truth", "shape")}
    np.savez(path, **kept)


def test_a_file_without_a_seed_has_it_in_its_name(tmp_path: Path) -> None:
    path, clip = clip_path(tmp_path, Split.TRAIN, 3), render_clip(3, Split.TRAIN)
    old_file(path, clip)
    assert load_clip(path) == clip


def test_a_clip_of_another_world_is_refused(tmp_path: Path) -> None:
    path = clip_path(tmp_path, Split.TRAIN, 4)
    old_file(path, render_clip(3, Split.TRAIN))
    with pytest.raises(ValueError, match=r"train-000004\.npz shows another episode than seed 4 gives now: delete it"):
        load_clip(path)
