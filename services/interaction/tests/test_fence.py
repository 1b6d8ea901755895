"""A worker that is paused in mid-tick for longer than its lease, and wakes up with an answer that nobody waits for."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from vigil.contract import subjects
from vigil.contract.decision import decode_decision
from vigil.core.source import Role
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.script import Reply, Seen, when_red
from vigil.testing.servers import NatsServer, RedisServer

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


@asynccontextmanager
async def worker(
    name: str, stage: Stage, nats: NatsServer, redis: RedisServer
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """`vigil-interaction` as a process, ready; and its HTTP port."""
    port = free_port()
    variables = {
        "NATS_URL": nats.url,
        "REDIS_URL": redis.url,
        "ENGINE_URLS": stage.engine.url,
        "MODEL": "scripted",
        "HTTP_PORT": port,
        "GRPC_PORT": 0,
        "WORKER": name,
        "WARM_UP_TURNS": 1,
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_interaction.main"),
        env={"PATH": str(Path(sys.executable).parent)} | {f"VIGIL_{key}": str(one) for key, one in variables.items()},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: ready(port), what=f"{name} is ready")
        yield process, port
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ready(port: int) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def figure(port: int, name: str) -> float:
    """One of a worker's metrics, by its name with labels."""
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        found = re.search(rf"^{re.escape(name)} (\S+)$", await answer.text(), re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_paused_worker_that_wakes_up_commits_nothing_and_lets_go(
    stage: Stage, nats_server: NatsServer, redis_server: RedisServer, grey: bytes, red: bytes
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    def held_once(seen: Seen) -> Reply:
        """The first answer, that it burns, comes when the test lets it; those after it, at once."""
        stage.engine.script = when_red()
        asked.set()
        return Reply("</response> A fire has started.", hold=answer)

    heard: list[int] = []
    async with worker("worker-1", stage, nats_server, redis_server) as (first, first_port):
        await stage.open()
        await stage.watch(grey, grey, grey)
        async with (
            worker("worker-2", stage, nats_server, redis_server) as (second, _),
            stage.bus.subscribe(subjects.decision(stage.key), capacity=1_000) as live,
        ):
            stage.engine.script = held_once
            await stage.show(3, red)
            async with asyncio.timeout(DEADLINE_S):
                await asked.wait()
            os.kill(first.pid, signal.SIGSTOP)
            await stage.watch(grey, grey, grey, start=4)
            assert await stage.placement.owner(Role.INTERACTION, stage.key) == "worker-2"
            answer.set()  # it lies in the paused worker's socket when that wakes up
            os.kill(first.pid, signal.SIGCONT)
            held = 'vigil_claims_held{role="interaction"}'
            await eventually(lambda: lets_go(first_port, held), what="the worker that woke up holds nothing")
            await stage.watch(grey, grey, start=7)
            assert await stage.placement.owner(Role.INTERACTION, stage.key) == "worker-2", "it did not come back for it"
            assert await figure(first_port, 'vigil_claims_lost_total{role="interaction"}') == 1
            decisions = await stage.decisions(8)
            async with asyncio.timeout(DEADLINE_S):
                while len(heard) < 5 or live.statistics.waiting:
                    heard.append(decode_decision((await anext(live)).payload).sequence)
            second.kill()
            await second.wait()
            await stage.watch(grey, start=9)  # it is as good a worker as any
        assert first.returncode is None
    assert [one.sequence for one in decisions] == list(range(8))
    assert [one.time_ms // 1000 for one in decisions] == [0, 1, 2, 4, 5, 6, 7, 8], "second 3 was nobody's"
    assert heard == list(range(3, 8)), "whoever only listens heard each once"
    history = (await stage.store.history(stage.key)).chunk.turns
    assert [turn.sequence for turn in history] == list(range(9))
    assert {turn.reply for turn in history} == {"</silence>"}, "the late answer is no part of it"


async def lets_go(port: int, held: str) -> bool:
    return await figure(port, held) == 0
