"""The adapter of smart-turn with a stand-in for its process: what it is asked, and every way in which that fails."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from vigil.runtime.process.startup import StartupError
from vigil_asr.end_of_turn.port import JudgeFailed
from vigil_asr.end_of_turn.smart_turn import SmartTurn, installed
from vigil_asr.kept_server import KeptServer

Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]


@asynccontextmanager
async def judge(folder: Path, http: aiohttp.ClientSession, answer: Answer) -> AsyncIterator[SmartTurn]:
    """A judge whose process names a server of this one."""
    app = web.Application()
    app.add_routes([web.post("/", answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    line = json.dumps({"url": f"http://{host}:{port}/", "key": "k"})
    (folder / "server.py").write_text(f"import sys\nprint({line!r}, flush=True)\nsys.stdin.read()\n")
    kept = KeptServer("turns", (sys.executable, "-S", str(folder / "server.py")))
    try:
        async with kept.running():
            await kept.ready()
            yield SmartTurn(kept, http)
    finally:
        await runner.cleanup()


async def test_sound_goes_in_and_a_probability_comes_out(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    asked = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((await request.read(), request.headers["Authorization"]))
        return web.json_response({"complete": 0.93})

    async with judge(tmp_path, http, answer) as turns:
        assert await turns.complete(b"\1\0\2\0") == 0.93
    assert asked == [(b"\1\0\2\0", "Bearer k")]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, '{"complete": 0.9}'),
        (302, ""),
        (200, "<html>"),
        (200, "[]"),
        (200, '{"complete": "yes"}'),
        (200, '{"complete": 1.5}'),
        (200, '{"complete": NaN}'),
        (200, '{"complete": 0.9' + " " * 5_000),
    ],
)
async def test_what_is_no_judgement_is_a_failure(
    tmp_path: Path, http: aiohttp.ClientSession, status: int, body: str
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, headers={"Location": "/"} if status == 302 else {})

    async with judge(tmp_path, http, answer) as turns:
        with pytest.raises(JudgeFailed):
            await turns.complete(b"\1\0")


async def test_one_that_is_given_up_makes_way_for_the_next(tmp_path: Path, http: aiohttp.ClientSession) -> None:
    hanging = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if await request.read() == b"\1\0":
            hanging.set()
            await asyncio.Event().wait()
        return web.json_response({"complete": 0.5})

    async with judge(tmp_path, http, answer) as turns:
        first, second = (asyncio.create_task(turns.complete(pcm)) for pcm in (b"\1\0", b"\2\0"))
        await hanging.wait()
        first.cancel()
        assert await second == 0.5


async def test_while_its_process_starts_every_question_fails_at_once(http: aiohttp.ClientSession) -> None:
    with pytest.raises(JudgeFailed, match="starting"):
        await SmartTurn(KeptServer("turns", ()), http).complete(b"\1\0")


def test_where_it_is_not_installed_the_way_to_it_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    with pytest.raises(StartupError, match=r"VIGIL_ASR_END_OF_TURN: .*run make speech") as caught:
        installed(tmp_path)
    assert "\n" not in str(caught.value)
