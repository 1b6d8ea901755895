"""The rendered camera: a real H.264 file with the episode's length and pictures."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from vigil_recipe.render.camera import DEMO_SECONDS, demo_episode, main, render_mp4
from vigil_recipe.world import Kind, Span, Split, Stage, make_episode, render


def test_the_file_plays_the_episode(tmp_path: Path) -> None:
    episode = make_episode(1, Split.TEST, 4, spans=(Span(Kind.FIRE, 2, 4),), layout="room")
    path = tmp_path / "camera.mp4"
    render_mp4(episode, path, size=(320, 192), frames_per_s=5)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.codec_context.name == "h264"
        assert stream.average_rate == 5
    assert len(frames) == 20
    assert frames[0].shape == (192, 320, 3)
    for index in (0, 19):
        difference = np.abs(frames[index].astype(int) - render(episode, index / 5, (320, 192)))
        assert difference.mean() < 8
    assert [file.name for file in tmp_path.iterdir()] == ["camera.mp4"]


def test_the_demo_begins_and_ends_quiet_and_has_a_fire() -> None:
    episode = demo_episode()
    assert all(not episode.truth(second) for second in (*range(12), *range(DEMO_SECONDS - 6, DEMO_SECONDS)))
    assert len(episode.spans_of(Kind.FIRE)) == 2
    assert episode.trips


def test_a_wrong_episode_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--out", str(tmp_path / "a.mp4"), "--episode", "lobby"])
    assert "--episode is 'demo' or a seed such as 12" in capsys.readouterr().err


def test_a_stage_is_rendered_and_its_truth_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "sign.mp4"
    assert main(["--out", str(path), "--episode", "0", "--seconds", "3", "--stage", "sign"]) == 0
    word = make_episode(0, Split.TEST, 3, stage=Stage.SIGN).screen[0]
    assert f"sign {word.start_s:>3} s to {word.end_s} s: {word.word}\n" in capsys.readouterr().out


def test_crossings_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "crossing.mp4"
    assert main(["--out", str(path), "--episode", "0", "--seconds", "4", "--stage", "crossing"]) == 0
    second = make_episode(0, Split.TEST, 4, stage=Stage.CROSSING).crossings[0]
    said = capsys.readouterr().out
    assert f"passer {second:>3} s\n" in said
    assert said.endswith(f"wrote {path}: 4 s, 15 frames a second\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "required: --out"),
        (("--out", "x", "--episode", "-3"), "--episode is 'demo' or a seed such as 12"),
        (("--out", "x", "--episode", "3", "--seconds", "0"), "--seconds is positive"),
        (("--out", "x", "--stage", "moon"), "argument --stage: invalid Stage value: 'moon'"),
    ],
)
def test_wrong_options_are_named(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert said in capsys.readouterr().err
