"""The bridge as a process: what it says when it cannot start, what it keeps when it is killed."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port

COMMAND = [sys.executable, "-m", "vigil_webhook.main"]

Fixture = Any  # those of conftest.py, which importlib mode does not let tests import
Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts bridges with the given variables, and kills what is left of them."""
    started: list[Process] = []

    async def one(**variables: object) -> Process:
        given = {"HTTP_PORT": 0, "WEBHOOK_ALLOW_LOCAL": True, "WEBHOOK_RETRY_MOST_S": 0.3, **variables}
        environment = {f"VIGIL_{name.upper()}": str(value) for name, value in given.items()}
        process = await asyncio.create_subprocess_exec(
            *COMMAND, env={"PATH": os.defpath, **environment}, stdout=PIPE, stderr=PIPE
        )
        started.append(process)
        return process

    yield one
    for process in started:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def finished(process: Process) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def readiness(port: int) -> dict[str, Any]:
    """What `/readyz` answers; empty while nobody listens."""
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            found: dict[str, Any] = await answer.json()
            return found
    except aiohttp.ClientError:
        return {}


async def ready(port: int) -> bool:
    return bool((await readiness(port)).get("ready"))


async def test_a_bad_configuration_is_one_line(start: Start, tmp_path: Path) -> None:
    code, _, err = await finished(await start(webhooks_file=tmp_path / "nothing.json"))
    assert (code, len(err.splitlines())) == (2, 1)
    assert err.startswith("vigil-webhook: VIGIL_WEBHOOKS_FILE: the file")
    code, _, err = await finished(await start(webhook_tries="many"))
    assert code == 2
    assert {line.split(": ")[1] for line in err.splitlines()} == {"VIGIL_WEBHOOKS_FILE", "VIGIL_WEBHOOK_TRIES"}


async def test_with_nats_down_it_is_up_and_not_ready_and_stops(start: Start, stage: Fixture) -> None:
    port = free_port()
    file = stage.file({"name": "pager", "url": "https://pager.example/"})
    process = await start(webhooks_file=file, http_port=port, nats_url=f"nats://127.0.0.1:{free_port()}")
    waiting = await eventually(lambda: readiness(port), DEADLINE_S, "it answers")
    assert not waiting["ready"]
    assert "no consumer yet for pager" in waiting["checks"]["endpoints"]
    process.send_signal(signal.SIGTERM)
    code, out, err = await finished(process)
    assert (code, err) == (0, "")
    assert "Traceback" not in out


async def test_killed_in_the_middle_it_loses_nothing(
    start: Start, stage: Fixture, receivers: Fixture, stored: Fixture
) -> None:
    receiver = receivers()
    receiver.gate.clear()
    await receiver.start()
    file, port = stage.file({"name": "pager", "url": receiver.url}), free_port()
    settings = {
        "webhooks_file": file,
        "nats_url": stage.nats.url,
        "http_port": port,
        "webhook_timeout_s": 5.0,  # and with it how long JetStream waits for the dead bridge's answer
    }
    first = await start(**settings)
    await eventually(lambda: ready(port), DEADLINE_S, "the first bridge is ready")
    await stage.send(*map(stored, range(4)))
    await receiver.has(1)
    first.kill()
    await first.wait()
    await receiver.stop()
    await stage.send(*map(stored, range(4, 8)))
    receiver.posts.clear()
    await receiver.start()
    second = await start(**settings)
    await eventually(lambda: ready(port), DEADLINE_S, "the second bridge is ready")
    assert await receiver.has(8, DEADLINE_S) == list(range(8)), "the one in hand again, the others once, in order"
    async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/dead-letters") as answer:
        assert (answer.status, await answer.json()) == (200, {"dead_letters": []})
    second.send_signal(signal.SIGTERM)
    code, out, err = await finished(second)
    assert (code, err) == (0, "")
    assert receiver.numbers == list(range(8))
    for secret in ("whsec_", "a-path-token"):
        assert secret not in out
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["service"] for line in lines} == {"webhook"}
    assert lines[-1]["message"] == "service stopped"
