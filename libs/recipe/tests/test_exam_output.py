"""What a terminal shows while an exam runs, and the files that it leaves."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vigil_recipe.exam.report.output import Advance, tell_scores, unless_stopped, with_bar, write
from vigil_recipe.exam.report.results import UNTAUGHT
from vigil_recipe.exam.run import TooManyFailed

FIGURES = {"recall": 0.5, "precision": None, "false_alarms_per_minute": 0.0, "answer_accuracy": None, "sw_f1": 0.25}


async def test_work_that_ends_was_not_stopped() -> None:
    done = []

    async def work(advance: Advance) -> None:
        for number in range(3):
            advance()
            done.append(number)

    assert await with_bar(work, 3) is False
    assert done == [0, 1, 2]


async def test_too_many_failures_stop_the_work_and_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    async def work(_: Advance) -> None:
        raise TooManyFailed("4 episodes could not be played; the last: no memory [left]")

    assert await with_bar(work, 3) is True
    assert "stopped" in capsys.readouterr().out


async def test_what_was_done_before_a_stop_is_kept() -> None:
    started = asyncio.Event()

    async def exam() -> tuple[bool, str]:
        async def work(_: Advance) -> None:
            started.set()
            await asyncio.Event().wait()

        stopped = await with_bar(work, 1)
        await asyncio.sleep(0)  # the report is written after the stop: nothing may be cancelled any more
        return stopped, "written"

    task = asyncio.create_task(exam())
    await started.wait()
    task.cancel()
    assert await task == (True, "written")


async def test_a_result_or_none_when_it_was_stopped() -> None:
    async def answer() -> int:
        return 7

    async def stopped() -> int:
        raise asyncio.CancelledError

    assert await unless_stopped(answer()) == 7
    assert await unless_stopped(stopped()) is None


def test_both_files_are_named_after_the_beginning(tmp_path: Path) -> None:
    out = tmp_path / "build" / "eval"
    write(out, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC), {"partial": False}, "<p>é</p>")
    assert json.loads((out / "20260304-050607.json").read_text()) == {"partial": False}
    assert (out / "20260304-050607.html").read_text(encoding="utf-8") == "<p>é</p>"
    assert len(list(out.iterdir())) == 2


@pytest.mark.parametrize(("partial", "told"), [(True, True), (False, False)])
def test_the_main_figures_of_each_scenario(capsys: pytest.CaptureFixture[str], partial: bool, told: bool) -> None:
    tell_scores({"summary": {"counting": FIGURES}, "untaught": [], "partial": partial})
    said = capsys.readouterr().out
    assert "  counting     recall 0.500  false_alarms_per_minute 0.000  sw_f1 0.250\n" in said
    assert ("partial: not everything that was planned was played" in said) is told
    assert UNTAUGHT not in said


def test_what_was_not_taught_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    tell_scores({"summary": {"modules": FIGURES}, "untaught": ["modules"], "partial": False})
    assert UNTAUGHT in " ".join(capsys.readouterr().out.split())
