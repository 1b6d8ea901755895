"""An exam from its options to its report: plan the scripts, play them, write the results."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from vigil_client.commands.running import console
from vigil_client.errors import ClientError
from vigil_local.supervisor.layout import repository
from vigil_recipe.exam.benchmarks.session import examine_benchmark
from vigil_recipe.exam.options import ExamOptions, Pace, parse_choice
from vigil_recipe.exam.plan import plan, planned
from vigil_recipe.exam.players.accelerated import AcceleratedSystem
from vigil_recipe.exam.players.baselines import AskOnly, LastFrames, Polling
from vigil_recipe.exam.players.engine import Engine
from vigil_recipe.exam.players.parity_process import parity
from vigil_recipe.exam.players.real_time import RealTimeSystem
from vigil_recipe.exam.players.summariser import figures, tasks, written
from vigil_recipe.exam.report.output import tell_scores, unless_stopped, with_bar, write
from vigil_recipe.exam.report.page import html
from vigil_recipe.exam.report.results import OWN_BRAINS, SYSTEM, Settings, results
from vigil_recipe.exam.run import Outcome, play_all
from vigil_recipe.exam.running_system import RunningSystem, open_system
from vigil_recipe.exam.scoring.transcript import Player, PlayFailed
from vigil_recipe.scenarios import TAUGHT, Scenario
from vigil_recipe.world import Split


async def examine(options: ExamOptions) -> bool:
    """Take the exam. True when it could be taken, whatever its scores. Raises `ClientError`."""
    if options.benchmark:
        return await examine_benchmark(options)
    scenarios = tuple(parse_choice(Scenario, name, "--scenario") for name in options.scenarios) or TAUGHT
    pace, split = parse_choice(Pace, options.pace, "--pace"), parse_choice(Split, options.split, "--split")
    try:
        items = plan(options.seed, options.episodes, scenarios, split)
        total = planned(options.episodes, scenarios)
        first = next(items)
    except ValueError as error:
        raise ClientError(str(error), "correct --seed, --episodes or --scenario") from None
    outcome, began_s, began = Outcome(), time.monotonic(), datetime.now(UTC)
    async with open_system(options) as running, _players(options, pace, running) as (system, others):
        if running.stand_in is None:
            console.print(f"{OWN_BRAINS} Stop it, and the exam starts a Vigil of its own.")
        stopped = await with_bar(
            lambda advance: play_all(
                chain((first,), items), system, others, outcome, options.at_once, lambda _: advance()
            ),
            total,
        )
        settings = Settings(
            began=began.strftime("%Y-%m-%d %H:%M UTC"),
            seed=options.seed,
            episodes=options.episodes,
            scenarios=tuple(scenario.value for scenario in scenarios),
            split=split.value,
            pace=pace.value,
            model=running.endpoints.model,
            at_once=options.at_once,
            machine=f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}",
            seconds=round(time.monotonic() - began_s, 1),
            stand_in=running.stand_in is not None,
        )
        whole = not stopped and pace is Pace.ACCELERATED
        memories = await _summariser(options, running, split) if whole and not options.scenarios else {}
        found = await _parity(options, running.endpoints.model, outcome) if whole else {}
    if not outcome.played:
        why = outcome.failed[-1] if outcome.failed else "it was stopped before the first episode ended"
        raise ClientError(f"nothing was played: {why}", "`vigil doctor` and the logs of `vigil up` say why")
    data = results(settings, outcome, found, memories)
    write(options.out, began, data, html(data, outcome))
    tell_scores(data)
    return True


@asynccontextmanager
async def _players(
    options: ExamOptions, pace: Pace, running: RunningSystem
) -> AsyncIterator[tuple[Player, Sequence[Player]]]:
    """The system at the pace that was asked for, and the baselines."""
    engine = _engine(running)
    others: tuple[Player, ...] = (Polling(engine), AskOnly(engine), LastFrames(engine)) if options.baselines else ()
    if pace is Pace.ACCELERATED:
        yield AcceleratedSystem(running.gateway, running.bus, running.stand_in), others
        return
    with tempfile.TemporaryDirectory(prefix="vigil-exam-") as folder:
        yield RealTimeSystem(running.gateway, running.client, running.bus, Path(folder), running.stand_in), others


def _engine(running: RunningSystem) -> Engine:
    return Engine(running.http, running.endpoints.engine_url.split(",")[0], running.endpoints.model)


async def _summariser(options: ExamOptions, running: RunningSystem, split: Split) -> dict[str, Any]:
    """As many chunks to summarise, and as many merges, as a scenario has episodes."""
    console.print("asking for summaries …")
    some = list(tasks(options.seed, split, -(-options.episodes // len(TAUGHT))))
    try:
        answers = await unless_stopped(written(_engine(running), some))
    except PlayFailed as error:
        return {"not_run": str(error)}
    return dict(figures(answers)) if answers is not None else {"not_run": "it was stopped"}


async def _parity(options: ExamOptions, served: str, outcome: Outcome) -> dict[str, Any]:
    if served != options.model_dir.name:
        return {"not_run": f"the engine serves {served}, not {options.model_dir}: name its folder with --model-dir"}
    console.print("comparing with the reference implementation …")
    scores = [episode for of in outcome.scores(SYSTEM).values() for episode in of]
    root = repository()
    model_dir = options.model_dir if options.model_dir.exists() or root is None else root / options.model_dir
    with tempfile.TemporaryDirectory(prefix="vigil-exam-") as folder:
        compared = await unless_stopped(parity(scores, model_dir, root, Path(folder)))
    return compared or {"not_run": "it was stopped"}
