"""The scripted engine as a process, as `vigil` and the end-to-end tests start it."""

import asyncio
import json
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.testing.eventually import DEADLINE_S
from vigil.testing.images import jpeg
from vigil.testing.prompts import Pixels, request


async def run(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    module = "vigil.testing.scripted_engine"
    return await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdout=pipe, stderr=pipe)


async def address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        return (await process.stdout.readline()).decode().strip()


async def test_it_tells_its_address_plays_its_rule_and_stops_on_sigterm() -> None:
    process = await run("--script", "red", "--model", "vigil-small")
    asked = replace(request(0), fresh={"frame-0": jpeg((230, 40, 20))})
    async with Engine(EngineConfig(await address(process), "vigil-small")) as client:
        assert (await client.complete(asked, Pixels(0))).text == "</response> A fire has started."
    process.send_signal(signal.SIGTERM)
    _, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")


async def test_it_plays_a_script_from_a_file(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{}, {"text": "</response> Hello."}]))
    process = await run("--script", str(script))
    async with Engine(EngineConfig(await address(process), "scripted")) as client:
        texts = [(await client.complete(request(turn), Pixels(0))).text for turn in range(3)]
    process.terminate()
    await process.communicate()
    assert texts == ["</silence>", "</response> Hello.", "</response> Hello."]


@pytest.mark.parametrize("content", [None, "[]", '[{"say": "x"}]'], ids=["absent", "empty", "unknown field"])
async def test_a_bad_script_is_one_clear_line(tmp_path: Path, content: str | None) -> None:
    script = tmp_path / "script.json"
    if content is not None:
        script.write_text(content)
    process = await run("--script", str(script))
    _, errors = await process.communicate()
    assert process.returncode == 2
    assert str(script) in errors.decode().splitlines()[-1]
