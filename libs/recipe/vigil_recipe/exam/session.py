"""An exam from its options to its report: the scripts are planned and played, what came of them is written down."""

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
from vigil_recipe.exam.baselines import AskOnly, LastFrames, Polling
from vigil_recipe.exam.benchmark_session import examine_benchmark
from vigil_recipe.exam.engine import Engine
from vigil_recipe.exam.page import html
from vigil_recipe.exam.parity_run import parity
from vigil_recipe.exam.place import Asked, Pace, Place, chosen, opened
from vigil_recipe.exam.plan import plan, planned
from vigil_recipe.exam.real_time import RealTimeSystem
from vigil_recipe.exam.reporting import tell_scores, unless_stopped, with_bar, write
from vigil_recipe.exam.results import SYSTEM, Settings, results
from vigil_recipe.exam.run import Outcome, play_all
from vigil_recipe.exam.summariser import figures, tasks, written
from vigil_recipe.exam.system import AcceleratedSystem
from vigil_recipe.exam.transcript import Player, PlayFailed
from vigil_recipe.scenarios import Scenario
from vigil_recipe.world import Split


async def examine(asked: Asked) -> bool:
    """Take the exam. True when it could be taken, whatever its scores. Raises `ClientError`."""
    if asked.benchmark:
        return await examine_benchmark(asked)
    scenarios = tuple(chosen(Scenario, one, "--scenario") for one in asked.scenarios) or tuple(Scenario)
    pace, split = chosen(Pace, asked.pace, "--pace"), chosen(Split, asked.split, "--split")
    try:
        items = plan(asked.seed, asked.episodes, scenarios, split)
        total = planned(asked.episodes, scenarios)
        first = next(items)
    except ValueError as error:
        raise ClientError(str(error), "correct --seed, --episodes or --scenario") from None
    outcome, began_s, began = Outcome(), time.monotonic(), datetime.now(UTC)
    async with opened(asked) as place, _players(asked, pace, place) as (system, others):
        stopped = await with_bar(
            lambda told: play_all(chain((first,), items), system, others, outcome, asked.at_once, lambda _: told()),
            total,
        )
        settings = Settings(
            began=began.strftime("%Y-%m-%d %H:%M UTC"),
            seed=asked.seed,
            episodes=asked.episodes,
            scenarios=tuple(one.value for one in scenarios),
            split=split.value,
            pace=pace.value,
            model=place.endpoints.model,
            at_once=asked.at_once,
            machine=f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()}",
            seconds=round(time.monotonic() - began_s, 1),
        )
        whole = not stopped and pace is Pace.ACCELERATED
        memories = await _summariser(asked, place, split) if whole and not asked.scenarios else {}
        found = await _parity(asked, place.endpoints.model, outcome) if whole else {}
    if not outcome.played:
        why = outcome.failed[-1] if outcome.failed else "it was stopped before the first episode ended"
        raise ClientError(f"nothing was played: {why}", "`vigil doctor` and the logs of `vigil up` say why")
    data = results(settings, outcome, found, memories)
    write(asked.out, began, data, html(data, outcome))
    tell_scores(data)
    return True


@asynccontextmanager
async def _players(asked: Asked, pace: Pace, place: Place) -> AsyncIterator[tuple[Player, Sequence[Player]]]:
    """The system at the pace that was asked for, and the baselines."""
    engine = _engine(place)
    others: tuple[Player, ...] = (Polling(engine), AskOnly(engine), LastFrames(engine)) if asked.baselines else ()
    if pace is Pace.ACCELERATED:
        yield AcceleratedSystem(place.door, place.bus), others
        return
    with tempfile.TemporaryDirectory(prefix="vigil-exam-") as folder:
        yield RealTimeSystem(place.door, place.client, place.bus, Path(folder)), others


def _engine(place: Place) -> Engine:
    return Engine(place.http, place.endpoints.engine_url.split(",")[0], place.endpoints.model)


async def _summariser(asked: Asked, place: Place, split: Split) -> dict[str, Any]:
    """As many chunks to summarise, and as many merges, as a scenario has episodes."""
    console.print("asking for summaries …")
    some = list(tasks(asked.seed, split, -(-asked.episodes // len(Scenario))))
    try:
        answers = await unless_stopped(written(_engine(place), some))
    except PlayFailed as error:
        return {"not_run": str(error)}
    return dict(figures(answers)) if answers is not None else {"not_run": "it was stopped"}


async def _parity(asked: Asked, served: str, outcome: Outcome) -> dict[str, Any]:
    if served != asked.model_dir.name:
        return {"not_run": f"the engine serves {served}, not {asked.model_dir}: name its folder with --model-dir"}
    console.print("comparing with the reference implementation …")
    scores = [one for of in outcome.scores(SYSTEM).values() for one in of]
    root = repository()
    model_dir = asked.model_dir if asked.model_dir.exists() or root is None else root / asked.model_dir
    with tempfile.TemporaryDirectory(prefix="vigil-exam-") as folder:
        compared = await unless_stopped(parity(scores, model_dir, root, Path(folder)))
    return compared or {"not_run": "it was stopped"}
