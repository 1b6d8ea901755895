"""What a terminal shows while an exam runs, and the report's files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from vigil_client.commands.running import console
from vigil_recipe.exam.report.results import UNTAUGHT
from vigil_recipe.exam.run import TooManyFailed

Advance = Callable[[], None]
Result = TypeVar("Result")


async def with_bar(work: Callable[[Advance], Coroutine[Any, Any, None]], total: int) -> bool:
    """Do the work under a progress bar. True when somebody stopped it, or too much failed: what there is counts."""
    columns = (TextColumn("exam"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("exam", total=total)
        try:
            return not await unless_stopped(_done(work(lambda: bar.advance(task))))
        except TooManyFailed as error:
            console.print(f"[bold red]stopped[/]  {error}", highlight=False, soft_wrap=True)
            return True


async def unless_stopped(work: Coroutine[Any, Any, Result]) -> Result | None:
    """The result of the work; None when Ctrl-C (which cancels) stopped it: the report is still to be written."""
    try:
        return await work
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None:
            current.uncancel()
        return None


async def _done(work: Coroutine[Any, Any, None]) -> bool:
    await work
    return True


def write(out: Path, began: datetime, data: Mapping[str, Any], page: str) -> None:
    """The two files, each whole or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    stem = out / began.strftime("%Y%m%d-%H%M%S")
    for ending, text in ((".json", json.dumps(data, indent=1)), (".html", page)):
        part = stem.with_suffix(ending + ".part")
        part.write_text(text, encoding="utf-8")
        part.rename(stem.with_suffix(ending))
    console.print(f"wrote {stem.with_suffix('.json')} and {stem.with_suffix('.html')}", highlight=False, soft_wrap=True)


def tell_scores(data: Mapping[str, Any]) -> None:
    """The main figures of each scenario, on a terminal."""
    for name, figures in data["summary"].items():
        keys = ("recall", "precision", "false_alarms_per_minute", "answer_accuracy", "sw_f1")
        shown = "  ".join(f"{key} {figures[key]:.3f}" for key in keys if figures[key] is not None)
        console.print(f"  {name:<12} {shown}", highlight=False, soft_wrap=True)
    if data["untaught"]:
        console.print(f"[yellow]{UNTAUGHT}[/]", highlight=False, soft_wrap=True)
    if data["partial"]:
        console.print("[yellow]partial: not everything that was planned was played[/]")
