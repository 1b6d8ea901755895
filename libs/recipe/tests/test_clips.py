"""Clips on disk: read as they were written, rendered once, and the command that renders them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vigil_recipe.render.clips import Clip, clip_path, load_clip, main, render_clip, render_clips, save_clip
from vigil_recipe.world import Kind, Split, Stage


@pytest.fixture(scope="module")
def clip() -> Clip:
    return render_clip(3, Split.VALIDATION, Stage.SIGN)


def test_a_clip_is_read_as_it_was_written(clip: Clip, tmp_path: Path) -> None:
    path = clip_path(tmp_path, Split.VALIDATION, 3, Stage.SIGN)
    save_clip(clip, path)
    assert path.name == "validation-sign-000003.npz"
    assert load_clip(path) == clip
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_every_turn_has_its_frames_in_time_order(clip: Clip) -> None:
    assert clip.turns * clip.images == len(clip.jpegs) == 100
    assert clip.episode is not None
    assert clip.truth[5] == clip.episode.truth(5)
    assert clip.frames_at(7) == clip.jpegs[7 * clip.images : 8 * clip.images]


def test_a_clip_of_another_world_is_refused(clip: Clip, tmp_path: Path) -> None:
    path = tmp_path / "changed.npz"
    first = frozenset({Kind.DOOR}) if Kind.DOOR not in clip.truth[0] else frozenset()
    save_clip(Clip(clip.size, clip.images, clip.jpegs, (first, *clip.truth[1:]), clip.episode), path)
    with pytest.raises(ValueError, match=r"changed\.npz shows another episode than seed 3 gives now: delete it"):
        load_clip(path)


def test_a_clip_made_by_hand_has_no_episode(tmp_path: Path) -> None:
    made = Clip((160, 96), 1, (b"a", b"bc"), (frozenset(), frozenset({Kind.FIRE})))
    save_clip(made, tmp_path / "hand.npz")
    assert load_clip(tmp_path / "hand.npz") == made


def test_a_file_without_a_seed_takes_it_from_its_name(tmp_path: Path) -> None:
    clip = render_clip(1, Split.TRAIN)
    save_clip(clip, path := clip_path(tmp_path, Split.TRAIN, 1))
    with np.load(path) as data:
        kept = {name: data[name] for name in data.files if name not in ("seed", "split", "stage")}
    np.savez(path, **kept)
    assert load_clip(path) == clip


def test_only_clips_that_are_not_there_are_rendered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 2):
        clip_path(tmp_path, Split.TRAIN, seed).write_bytes(b"kept")
    render_clips(tmp_path, Split.TRAIN, 4, first=0, stride=2)
    assert capsys.readouterr().out == ""
    assert sorted(path.read_bytes() for path in tmp_path.iterdir()) == [b"kept", b"kept"]


def test_the_command_renders_what_it_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "clips"
    arguments = ["--split", "validation", "--stage", "varied", "--count", "6", "--first", "5", "--out", str(out)]
    assert main(arguments) == 0
    assert capsys.readouterr().out.endswith("validation clips: 6/6\n")
    assert [path.name for path in out.iterdir()] == ["validation-varied-000005.npz"]
    read = load_clip(next(out.iterdir()))
    assert read.episode is not None
    assert (read.episode.seed, read.episode.stage) == (5, Stage.VARIED)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "required: --out"),
        (("--out", "x", "--split", "exam"), "argument --split: invalid Split value: 'exam'"),
        (("--out", "x", "--stage", "moon"), "argument --stage: invalid Stage value: 'moon'"),
        (("--out", "x", "--count", "many"), "argument --count: invalid int value: 'many'"),
        (("--out", "x", "--count", "0"), "--count and --stride are 1 or more, --first is 0 or more"),
        (("--out", "x", "--stride", "0"), "--count and --stride are 1 or more"),
        (("--out", "x", "--first", "-1"), "--first is 0 or more"),
    ],
)
def test_wrong_options_are_named(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
