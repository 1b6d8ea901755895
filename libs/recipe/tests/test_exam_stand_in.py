"""The brain of an exam answers what the script in play asks, when it is due, and nothing else."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from vigil_recipe.exam.players.stand_in import StandIn, answer_of
from vigil_recipe.scenarios import Result
from vigil_recipe.scenarios.script import Line, Said

QUESTION = "What is 12 times 34?"
RESULT = Result(QUESTION, 3, Line(Said.RESULT, f"Result: {QUESTION} It is 408."))


async def asked(stand_in: StandIn, question: str) -> tuple[int, Any]:
    """What a brain of the kind `openai` asks, and what it gets."""
    messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": f"{question}\n\nLet me check."}]
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{stand_in.url}/chat/completions", json={"messages": messages}) as answer,
    ):
        return answer.status, await answer.json()


def test_the_answer_is_the_result_line_without_its_question() -> None:
    assert answer_of(RESULT) == "It is 408."


async def test_an_answer_is_held_until_it_is_due() -> None:
    async with StandIn().serving() as stand_in, stand_in.knowing([RESULT]):
        work = asyncio.create_task(asked(stand_in, QUESTION))
        status, body = await asked(stand_in, "What is the news?")
        assert (status, "no episode asks this" in json.dumps(body)) == (400, True)
        assert not work.done()
        stand_in.release(RESULT)
        status, body = await work
    assert (status, body["choices"][0]["message"]["content"]) == (200, "It is 408.")


async def test_what_is_held_ends_with_its_script_and_the_next_one_waits_for_it() -> None:
    async with StandIn().serving() as stand_in:
        async with stand_in.knowing([RESULT]):
            work = asyncio.create_task(asked(stand_in, QUESTION))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0), stand_in.knowing([RESULT]):
                    raise AssertionError("two scripts at once")
        assert (await work)[0] == 400


def test_the_brains_file_names_it_alone(tmp_path: Path) -> None:
    stand_in = StandIn()
    stand_in.url = "http://127.0.0.1:1/v1"
    written = json.loads(stand_in.write_brains_file(tmp_path / "brains.json").read_text())
    assert written["default"] == "exam"
    assert [(brain["name"], brain["kind"], brain["url"]) for brain in written["brains"]] == [
        ("exam", "openai", stand_in.url)
    ]
