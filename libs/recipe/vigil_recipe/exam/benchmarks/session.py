"""A public benchmark from its options to its report, on the running system in real time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from vigil_client.errors import ClientError
from vigil_recipe.exam.benchmarks.cases import BenchmarkCase
from vigil_recipe.exam.benchmarks.fields import BadAnnotations
from vigil_recipe.exam.benchmarks.loaders import Benchmark, load
from vigil_recipe.exam.benchmarks.player import BenchmarkPlayer
from vigil_recipe.exam.benchmarks.scores import CaseScore, benchmark_summary, score_case
from vigil_recipe.exam.options import ExamOptions, parse_choice
from vigil_recipe.exam.report.output import Advance, with_bar, write
from vigil_recipe.exam.report.page import benchmark_html
from vigil_recipe.exam.running_system import open_system
from vigil_recipe.exam.scoring.transcript import PlayFailed


async def examine_benchmark(options: ExamOptions) -> bool:
    """A public benchmark instead of the exam."""
    kind = parse_choice(Benchmark, options.benchmark, "--benchmark")
    if options.annotations is None or options.videos is None:
        raise ClientError("--benchmark needs the benchmark's files", "give --annotations FILE and --videos FOLDER")
    try:
        cases = load(kind, options.annotations, options.videos)
    except BadAnnotations as error:
        raise ClientError(str(error), "give the published annotation file and its videos") from None
    began, scores, failed = datetime.now(UTC), list[CaseScore](), list[str]()
    async with open_system(options) as running:
        player = BenchmarkPlayer(running.gateway, running.client)
        stopped = await with_bar(
            lambda advance: _play_cases(cases, player, options.at_once, scores, failed, advance), len(cases)
        )
    summary, partial = benchmark_summary(scores), stopped or bool(failed)
    data = {
        "benchmark": kind.value,
        "partial": partial,
        "failed": failed,
        "summary": summary,
        "cases": [
            {
                "record": scored.case.record,
                "video": scored.case.video.name,
                "first_s": scored.first_s,
                "right": scored.right,
            }
            for scored in scores
        ],
    }
    write(options.out, began, data, benchmark_html(kind.value, summary, partial))
    return True


async def _play_cases(
    cases: Sequence[BenchmarkCase],
    player: BenchmarkPlayer,
    at_once: int,
    scores: list[CaseScore],
    failed: list[str],
    advance: Advance,
) -> None:
    left = iter(cases)  # shared: each worker takes the next one

    async def worker() -> None:
        for case in left:
            try:
                scores.append(score_case(case, await player.play(case)))
            except PlayFailed as error:
                failed.append(str(error))
            advance()

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(worker())
