"""Runs the parity check in the engine environment, which has torch; the exam's own environment has not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vigil_local.supervisor.layout import ENGINE_PYTHON, inherited
from vigil_recipe.exam.players.parity import Shown, to_json
from vigil_recipe.exam.players.pictures import camera_jpeg, model_jpeg
from vigil_recipe.exam.scoring.dues import lines_of
from vigil_recipe.exam.scoring.episode_scores import EpisodeScore
from vigil_recipe.scenarios import Said

TICKS = 480
LIMIT_S = 600.0


async def parity(scores: Sequence[EpisodeScore], model_dir: Path, root: Path | None, folder: Path) -> dict[str, Any]:
    """In how many of about 480 turns both decide the same. If it cannot be run, ``not_run`` says why and what to do."""
    python = root / ENGINE_PYTHON if root else None
    if root is None or python is None or not python.exists():
        return {"not_run": f"there is no engine environment ({ENGINE_PYTHON}): make it with `make engine`"}
    if not (model_dir / "config.json").exists():
        return {"not_run": f"the served model's folder is not at {model_dir}: name it with --model-dir"}
    path = folder / "parity.jsonl"
    await asyncio.to_thread(write_episodes, scores, path)
    paths = f"{root / 'libs/vigil'}:{root / 'libs/recipe'}"
    process = await asyncio.create_subprocess_exec(
        *(str(python), "-m", "vigil_recipe.exam.players.parity", "--model", str(model_dir), "--episodes", str(path)),
        env={**inherited(), "PYTHONPATH": paths},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            output, errors = await process.communicate()
    except TimeoutError:
        return {"not_run": f"the reference implementation did not finish within {LIMIT_S:g} s"}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        path.unlink(missing_ok=True)
    if process.returncode != 0:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        return {"not_run": f"the reference implementation failed: {' '.join(last)}"}
    found = json.loads(output.decode().strip().splitlines()[-1])
    return {**found, "share": found["same"] / found["compared"] if found["compared"] else None}


def write_episodes(scores: Sequence[EpisodeScore], path: Path) -> None:
    """The episodes as the model was shown them, evenly over the exam, until there are enough turns."""
    turns = max((len(episode.script.turns) for episode in scores), default=1)
    step = max(1, len(scores) * turns // TICKS)
    with path.open("w") as file:
        for episode in scores[::step]:
            file.write(to_json(as_shown(episode)) + "\n")


def as_shown(scored: EpisodeScore) -> Shown:
    """Lines in the order in which the system shows them: memory, what modules tell, instructions and clearings,
    questions, results."""
    script, lines, jpegs = scored.script, [], []
    for index, (turn, heard) in enumerate(zip(script.turns, scored.transcript.turns, strict=True)):
        first = [script.memory] if script.memory and index == 0 else []
        first += lines_of(script, index, Said.OBSERVATION)
        standing = lines_of(script, index, Said.INSTRUCTION, Said.CLEARING, Said.KEPT)
        lines.append((*first, *standing, *lines_of(script, index, Said.QUESTION), *heard.results))
        jpegs.append(model_jpeg(camera_jpeg(script.episode, turn.second)))
    return Shown(tuple(lines), tuple(heard.reply for heard in scored.transcript.turns), tuple(jpegs))
