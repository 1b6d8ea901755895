"""`vigil eval`: the options. Loaded with every `vigil` command, so what an exam needs is imported when one begins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vigil_client.commands.running import run
from vigil_client.endpoints import DATA_DIR

OUT = Path("build/eval")
EPISODES = 216


def evaluate(
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which exam: any seed makes one of its own.")] = 0,
    episodes: Annotated[int, typer.Option("--episodes", min=1, help="Episodes over all scenarios.")] = EPISODES,
    scenario: Annotated[list[str] | None, typer.Option("--scenario", help="Only this one; may be repeated.")] = None,
    pace: Annotated[str, typer.Option("--pace", help="accelerated, or real-time.")] = "accelerated",
    baselines: Annotated[bool, typer.Option(help="Play the baselines too.")] = True,
    at_once: Annotated[int, typer.Option("--at-once", min=1, help="Episodes that are played at once.")] = 16,
    split: Annotated[str, typer.Option("--split", help="test, or validation while a model is being made.")] = "test",
    out: Annotated[Path, typer.Option("--out", help="Folder of the reports.")] = OUT,
    model_dir: Annotated[Path, typer.Option("--model-dir", help="Checkpoint that the engine serves.")] = Path(
        "models/vigil-small"
    ),
    data_dir: Annotated[Path, typer.Option("--data-dir", help="Where `vigil up` keeps its files.")] = DATA_DIR,
    benchmark: Annotated[
        str, typer.Option("--benchmark", help="streamingbench-po, ovo-forward, ovo-choice or river-memory.")
    ] = "",
    annotations: Annotated[Path | None, typer.Option("--annotations", help="The benchmark's annotation file.")] = None,
    videos: Annotated[Path | None, typer.Option("--videos", help="Folder of the benchmark's videos.")] = None,
) -> None:
    """Examine the running system on unseen episodes: a JSON file and a page in build/eval.

    A Vigil that runs from the same data directory is used, else one is started for the length of the exam. Episodes of
    the test split are disjoint by construction from all that training and validation draw. Ctrl-C leaves a report of
    what was played until then, marked partial. Low scores are no failure: the exit status is 0.

    \b
    Examples:
      vigil eval
      vigil eval --seed 7 --episodes 45 --scenario alerting --scenario counting
      vigil eval --pace real-time --episodes 18 --at-once 4
      vigil eval --benchmark streamingbench-po --annotations questions_proactive.json --videos videos/
    """
    from vigil_recipe.exam.options import ExamOptions
    from vigil_recipe.exam.session import examine

    options = ExamOptions(
        seed=seed,
        episodes=episodes,
        scenarios=tuple(scenario or ()),
        pace=pace,
        baselines=baselines,
        at_once=at_once,
        split=split,
        out=out,
        model_dir=model_dir,
        data_dir=data_dir,
        benchmark=benchmark,
        annotations=annotations,
        videos=videos,
    )
    run(examine(options))
