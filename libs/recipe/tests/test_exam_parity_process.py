"""The parity check as a process: which turns it gets, what it answers, and why it was not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigil_local.supervisor.layout import ENGINE_PYTHON
from vigil_recipe.exam.players.parity import episodes, main
from vigil_recipe.exam.players.parity_process import TICKS, as_shown, parity, write_episodes
from vigil_recipe.exam.scoring.episode_scores import EpisodeScore, score
from vigil_recipe.render.frames import from_jpeg
from vigil_recipe.scenarios import Line, Result, Said, Scenario
from vigil_recipe.testing.scripts import instruction, question, script, transcript


@pytest.fixture(scope="module")
def played() -> EpisodeScore:
    """Four turns: an instruction and a question at once, then the result of what was delegated, later than planned."""
    result = Line(Said.RESULT, "RESULT hot")
    lines = {0: [question("How hot is it?"), instruction("Watch it.")], 1: [result]}
    one = script(
        Scenario.DELEGATION, lines=lines, results=[Result("How hot?", 1, result)], memory="It burned.", turns=4
    )
    said = {0: "</response> Let me see. </delegation> How hot?", 3: "</response> Hot."}
    return score(one, transcript(said, results={2: ("RESULT hot",)}, turns=4))


def test_lines_are_shown_in_the_systems_order_and_results_where_they_came(played: EpisodeScore) -> None:
    shown = as_shown(played)
    assert shown.lines == (("It burned.", "Watch it.", "How hot is it?"), (), ("RESULT hot",), ())
    assert shown.replies[0] == "</response> Let me see. </delegation> How hot?"
    assert [from_jpeg(jpeg).shape for jpeg in shown.jpegs] == [(96, 160, 3)] * 4


def test_a_long_exam_is_compared_in_part(played: EpisodeScore, tmp_path: Path) -> None:
    path = tmp_path / "episodes.jsonl"
    write_episodes([played] * 3, path)
    assert list(episodes(path)) == [as_shown(played)] * 3
    many = 3 * TICKS // 4
    write_episodes([played] * many, path)
    assert len(list(episodes(path))) == TICKS // 4
    write_episodes([], path)
    assert list(episodes(path)) == []


def made(root: Path, body: str) -> tuple[Path, Path]:
    """A checkpoint folder and, as the engine environment's Python, a program of our own. Returns model and root."""
    python = root / ENGINE_PYTHON
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    (root / "model").mkdir()
    (root / "model/config.json").write_text("{}")
    return root / "model", root


async def test_the_share_of_turns_that_are_decided_alike(played: EpisodeScore, tmp_path: Path) -> None:
    model, root = made(tmp_path, """echo "loading"; echo '{"same": 3, "compared": '$(wc -l < "$6")'}'""")
    found = await parity([played] * 4, model, root, tmp_path)
    assert found == {"same": 3, "compared": 4, "share": 0.75}
    assert not (tmp_path / "parity.jsonl").exists(), "the pictures are not left behind"


async def test_nothing_compared_has_no_share(tmp_path: Path) -> None:
    model, root = made(tmp_path, """echo '{"same": 0, "compared": 0}'""")
    assert (await parity([], model, root, tmp_path))["share"] is None


async def test_a_reference_that_fails_says_why(tmp_path: Path) -> None:
    model, root = made(tmp_path, 'echo "a trace" >&2; echo "ImportError: no torch" >&2; exit 1')
    found = await parity([], model, root, tmp_path)
    assert found == {"not_run": "the reference implementation failed: ImportError: no torch"}


async def test_what_is_missing_is_named(tmp_path: Path) -> None:
    without = await parity([], tmp_path, tmp_path, tmp_path)
    assert without["not_run"].endswith("make it with `make engine`")
    assert await parity([], tmp_path, None, tmp_path) == without
    _, root = made(tmp_path, "exit 0")
    found = await parity([], tmp_path / "other", root, tmp_path)
    assert found == {"not_run": f"the served model's folder is not at {tmp_path / 'other'}: name it with --model-dir"}


def test_wrong_options_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--model", "models/vigil-small"])
    assert stopped.value.code == 2
    assert "required: --episodes" in capsys.readouterr().err
