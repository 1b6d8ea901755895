"""The gateway as a process: what it says when it cannot start, and how it stops."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.scripted_ingestion import ScriptedIngestion
from vigil.testing.servers import NatsServer, RedisServer

COMMAND = [sys.executable, "-c", "from vigil_gateway.main import main; main()"]
KEY = {"Authorization": "Bearer a-key-of-demo"}

Start = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(keys_file: Path) -> AsyncIterator[Start]:
    """Starts gateways with the given variables, and kills what is left of them."""
    started: list[Process] = []

    async def one(**variables: object) -> Process:
        ports = {"VIGIL_HTTP_PORT": free_port(), "VIGIL_GRPC_PORT": 0, "VIGIL_METRICS_PORT": 0}
        given = {"VIGIL_API_KEYS_FILE": keys_file, **ports} | variables
        environment = {"PATH": os.defpath} | {name: str(value) for name, value in given.items()}
        process = await asyncio.create_subprocess_exec(*COMMAND, env=environment, stdout=PIPE, stderr=PIPE)
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


async def answers(port: int, path: str, status: int) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status == status
    except aiohttp.ClientConnectorError:
        return False


async def test_a_bad_configuration_is_one_line_a_variable(start: Start) -> None:
    wrong = {"VIGIL_HTTP_PORT": "many", "VIGIL_HEARTBEAT_S": "-1", "VIGIL_NATS_URL": "nats://user:secret@[::1"}
    code, _, err = await finished(await start(**wrong))
    assert code == 2
    assert sorted(line.split(": ")[1] for line in err.splitlines()) == sorted(wrong)
    assert "VIGIL_NATS_URL: it is not scheme://host:port" in err
    assert "secret" not in err


async def test_a_key_file_that_is_not_there_is_one_line(start: Start, tmp_path: Path) -> None:
    code, _, err = await finished(await start(VIGIL_API_KEYS_FILE=tmp_path / "nothing.json"))
    assert code == 2
    assert err.startswith("vigil-gateway: VIGIL_API_KEYS_FILE: the key file")
    assert len(err.splitlines()) == 1


async def test_a_misspelt_profile_is_one_line(start: Start) -> None:
    code, _, err = await finished(await start(VIGIL_PROFILE="joyal"))
    assert code == 2
    assert err.startswith("vigil-gateway: VIGIL_PROFILE: no prompt profile 'joyal'")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("variable", ["VIGIL_HTTP_PORT", "VIGIL_METRICS_PORT"])
async def test_a_port_in_use_is_one_line(start: Start, redis_server: RedisServer, variable: str) -> None:
    code, _, err = await finished(await start(**{variable: redis_server.port}))
    assert code == 2
    assert f"127.0.0.1:{redis_server.port}" in err
    assert variable in err
    assert len(err.splitlines()) == 1


async def test_with_nats_and_redis_down_it_is_up_and_not_ready_and_stops(start: Start) -> None:
    port, metrics_port, nowhere = free_port(), free_port(), free_port()
    process = await start(
        VIGIL_HTTP_PORT=port,
        VIGIL_METRICS_PORT=metrics_port,
        VIGIL_NATS_URL=f"nats://127.0.0.1:{nowhere}",
        VIGIL_REDIS_URL=f"redis://127.0.0.1:{nowhere}/0",
    )
    await eventually(lambda: answers(port, "/healthz", 200), DEADLINE_S, "the process is up")
    assert await answers(port, "/readyz", 503)
    assert await answers(metrics_port, "/readyz", 503)
    assert await answers(metrics_port, "/metrics", 200)
    assert await answers(port, "/metrics", 404), "clients reach this port"
    process.send_signal(signal.SIGTERM)
    code, out, err = await finished(process)
    assert (code, err) == (0, "")
    assert "Traceback" not in out


async def test_sigterm_drains_streams_are_told_and_no_secret_was_logged(
    start: Start, nats_server: NatsServer, redis_server: RedisServer, ingestion: ScriptedIngestion, workers: None
) -> None:
    port = free_port()
    process = await start(
        VIGIL_HTTP_PORT=port,
        VIGIL_NATS_URL=nats_server.url,
        VIGIL_REDIS_URL=redis_server.url,
        VIGIL_INGESTION_GRPC=ingestion.target,
        VIGIL_LOG_LEVEL="debug",
    )
    await eventually(lambda: answers(port, "/readyz", 200), DEADLINE_S, "the gateway is ready")
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=KEY) as http:
        body = {"source": {"url": "rtsp://user:a-camera-password@camera.local/stream1"}}
        async with http.post("/v1/sessions", json=body) as answer:
            session = (await answer.json())["id"]
        async with http.get(f"/v1/sessions/{session}/events") as stream:
            await stream.content.readuntil(b"\n\n")
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(DEADLINE_S):
                last = (await stream.content.read()).decode().strip().splitlines()[-2:]
    assert last[0] == "event: end"
    assert json.loads(last[1].removeprefix("data: ")) == {"reason": "the gateway is shutting down: connect again"}
    code, out, err = await finished(process)
    assert (code, err) == (0, "")
    assert "a-camera-password" not in out
    assert "a-key-of-demo" not in out
    lines = [json.loads(line) for line in out.splitlines()]
    assert {line["service"] for line in lines} == {"gateway"}
    assert lines[-1]["message"] == "service stopped"
