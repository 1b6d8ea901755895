"""`vigil up` as a whole: real servers and services, a scripted engine, and nothing left behind."""

import asyncio
import base64
import contextlib
import json
import os
import re
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import aiohttp
import av
import numpy as np
import pytest
from aiohttp import web

from vigil.contract.services import SERVICES
from vigil.testing.eventually import eventually
from vigil.testing.images import jpeg
from vigil.testing.ports import free_ports
from vigil_client.alerts import alert_subject, subscribed
from vigil_client.api import Client
from vigil_client.cloudevents import Alert
from vigil_client.endpoints import FILE, Endpoints, read
from vigil_client.errors import ClientError, Unauthorised
from vigil_client.events import Decision
from vigil_client.options import NewSession, NewSource, NewWatch, source_url
from vigil_client.testing.command import start, vigil
from vigil_local.testing.processes import runs

READY_S = 280.0
PORTS = 20  # more than `vigil up` takes


@pytest.fixture
async def engine_url() -> AsyncIterator[str]:
    """A scripted engine that speaks of a fire when the picture is red: its own process, as one that runs elsewhere."""
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "vigil.testing.scripted_engine",
            "--port",
            "0",
            "--model",
            "scripted",
            "--script",
            "red",
        ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(READY_S):
        url = (await process.stdout.readline()).decode().strip()
    yield url
    process.kill()
    await process.wait()


def side_by_side() -> tuple[str, str]:
    """Ports of its own, so that two systems that start at the same moment do not choose the same ones."""
    return "--port-base", str(free_ports(PORTS))


class Up(Protocol):
    """Starts a system."""

    async def __call__(self, data_dir: Path, *more: str) -> tuple[asyncio.subprocess.Process, Endpoints]: ...


@pytest.fixture
async def up(engine_url: str) -> AsyncIterator[Up]:
    """Starts systems. One that a failed test leaves running is ended: it would take ports from the tests after it."""
    started: list[asyncio.subprocess.Process] = []

    async def begin(data_dir: Path, *more: str) -> tuple[asyncio.subprocess.Process, Endpoints]:
        engine = ("--engine-url", engine_url, "--model", "scripted")
        process = await start("up", "--data-dir", str(data_dir), *engine, *side_by_side(), *more)
        started.append(process)
        await eventually(lambda: (data_dir / FILE).exists() or process.returncode is not None, READY_S, "vigil up")
        assert process.returncode is None, (await process.communicate())[0].decode()
        return process, read(data_dir / FILE)

    yield begin
    for process in started:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            await process.communicate()


def temporary_of(endpoints: Endpoints) -> Path:
    """The temporary directory that a service was given."""
    variables = Path(f"/proc/{endpoints.pids['gateway']}/environ").read_bytes().split(b"\0")
    return Path(next(line.decode().partition("=")[2] for line in variables if line.startswith(b"TMPDIR=")))


@pytest.mark.slow
async def test_up_heals_itself_and_leaves_nothing_behind(tmp_path: Path, up: Up, engine_url: str) -> None:
    process, known = await up(tmp_path)
    assert set(known.pids) == {"nats", "redis", "ingestion", "codec", "interaction", "memory", "gateway", "brain"}
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    async with Client(known.gateway_url, known.api_key) as client:
        assert await client.sessions() == ()
    second = await vigil("up", "--data-dir", str(tmp_path), "--engine-url", engine_url, "--model", "scripted")
    assert second.status == 1
    assert f"already runs with the data directory {tmp_path} (process {process.pid})" in second.output

    os.kill(known.pids["codec"], signal.SIGKILL)
    await eventually(
        lambda: read(tmp_path / FILE).pids.get("codec") not in (known.pids["codec"], None), what="a new codec"
    )
    now, temporary = read(tmp_path / FILE), temporary_of(known)
    assert temporary.is_dir()

    process.send_signal(signal.SIGINT)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, output.decode()
    assert b"codec        restarting: killed by signal 9" in output
    assert not any(runs(pid) for pid in (*known.pids.values(), *now.pids.values()))
    assert not temporary.exists()
    assert not (tmp_path / FILE).exists()


async def knows(gateway_url: str, key: str) -> bool:
    """Whether the gateway takes the key."""
    try:
        async with Client(gateway_url, key) as client:
            await client.key()
    except Unauthorised:
        return False
    return True


async def tenant_with_a_key(tmp_path: Path, known: Endpoints) -> str:
    """A second tenant's key, made while everything runs, once the gateway takes it and NATS has the tenant's user."""
    place = ("--data-dir", str(tmp_path))
    key = (await vigil("keys", "add", "pager", "--tenant", "acme", *place)).output.splitlines()[-1]
    await eventually(lambda: knows(known.gateway_url, key), what="the new key opens the gateway")
    shown = json.loads((await vigil("keys", "tenants", "--json", *place)).output)
    assert [row["tenant"] for row in shown] == ["acme", "demo"]

    async def hears() -> bool:
        with contextlib.suppress(ClientError):
            async with subscribed(shown[0]["nats_url"], alert_subject("acme")):
                return True
        return False

    await eventually(hears, what="the new tenant's NATS user")
    return key


@pytest.mark.slow
async def test_nothing_outlives_a_killed_up_but_the_keys(tmp_path: Path, up: Up) -> None:
    process, known = await up(tmp_path)
    temporary = temporary_of(known)
    key = await tenant_with_a_key(tmp_path, known)
    process.kill()
    await process.wait()
    await eventually(lambda: not any(runs(pid) for pid in known.pids.values()), what="the end of every process")
    await eventually(lambda: not temporary.exists() and not (tmp_path / FILE).exists(), what="the files being removed")
    endpoint = {"name": "pager", "tenant": "demo", "url": "http://127.0.0.1:9/", "secret": "whsec_" + "A" * 32}
    (tmp_path / "webhooks.json").write_text(json.dumps({"endpoints": [endpoint]}))
    again, after = await up(tmp_path, "--webhooks", str(tmp_path / "webhooks.json"))
    assert after.api_key == known.api_key
    assert await knows(after.gateway_url, key), "the next start erases no other tenant's key"
    assert set(after.pids) == set(known.pids) | {"webhook"}
    again.terminate()
    assert await asyncio.wait_for(again.wait(), 60) == 0


def burning_video(path: Path) -> None:
    """Grey for 2 s, red for 3 s, grey for 7 s."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for number in range(60):
            picture = np.full((96, 160, 3), (230, 20, 10) if 10 <= number < 25 else (60, 60, 60), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.slow
async def test_the_demo_delivers_an_alert_and_says_how_fast(tmp_path: Path, engine_url: str) -> None:
    burning_video(tmp_path / "fire.mp4")
    source = ("--source", str(tmp_path / "fire.mp4"))
    engine = ("--engine-url", engine_url, "--model", "scripted", "--data-dir", str(tmp_path / "run"))
    for duration in ("14", "60"):  # a busy machine may miss the fire: the film begins again after twelve seconds
        result = await vigil("demo", *source, *engine, *side_by_side(), "--duration", duration, deadline_s=READY_S)
        if result.status == 0:
            break
    assert result.status == 0, result.output
    assert result.output.count("know only the rendered world of `vigil demo`") == 1, "this is another film"
    assert "ALERT opened" in result.output
    assert "ALERT closed" in result.output
    assert re.search(r"first decision \d+\.\d s after start; \d+ decisions, \d+ frames skipped", result.output)
    assert re.search(r"opened and closed; \d+ ms from capture to delivery on NATS", result.output)


@asynccontextmanager
async def receiver() -> AsyncIterator[tuple[str, set[str]]]:
    """A webhook's receiver: its address, and the states of the alerts that it got."""
    states: set[str] = set()

    async def take(request: web.Request) -> web.Response:
        states.add((await request.json())["data"]["state"])
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/", states
    await runner.cleanup()


async def test_no_service_is_refused_what_it_needs(tmp_path: Path, up: Up) -> None:
    """Everything that a service says and hears, through its own NATS user: no log tells of a refusal."""
    burning_video(tmp_path / "fire.mp4")
    async with receiver() as (url, states):
        endpoint = {"name": "pager", "tenant": "demo", "url": url, "secret": "whsec_" + "A" * 32}
        (tmp_path / "webhooks.json").write_text(json.dumps({"endpoints": [endpoint]}))
        process, known = await up(tmp_path / "run", "--webhooks", str(tmp_path / "webhooks.json"))
        async with Client(known.gateway_url, known.api_key) as client, asyncio.timeout(READY_S):
            # A busy machine may miss the fire: the film begins again.
            source = NewSource(source_url(str(tmp_path / "fire.mp4")), id="lobby", loop=True)
            alerts = await alerts_of(client, NewSession(source, (NewWatch("Alert me when a fire starts.", hold_s=2),)))
            assert [alert.state for alert in alerts] == ["opened", "closed"]
            assert (await client.snapshot(alerts[0].alert_id)).startswith(b"\xff\xd8")
            assert await pushed_turn(known) == 200
            await eventually(lambda: states >= {"opened", "closed"}, what="the alert at the webhook")
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0
    logs = {path.name: path.read_text() for path in (tmp_path / "run" / "logs").glob("*.log")}
    asked_for = {row.name for row in SERVICES if not row.on_request} | {"webhook"}
    assert set(logs) >= {f"{name}.log" for name in asked_for}
    assert {name: log for name, log in logs.items() if "violation" in log.lower()} == {}


async def alerts_of(client: Client, new: NewSession) -> list[Alert]:
    """The alert events of a session until its first alert has closed; meanwhile it is asked a question and changed."""
    session = await client.create_session(new)
    found = []
    async for event in client.events(session.id):
        if isinstance(event, Decision) and event.sequence == 1:
            await client.ask(session.id, "What do you see?")
            await client.change_session(session.id, response_mode="talkative")
        if isinstance(event, Alert) and event.state in ("opened", "closed"):
            found.append(event)
        if found and found[-1].state == "closed":
            break
    await client.end_session(session.id)
    return found


async def pushed_turn(known: Endpoints) -> int:
    """Push a picture as a client of the OpenAI API would; the HTTP status."""
    picture = base64.b64encode(jpeg((60, 60, 60))).decode()
    content = [
        {"type": "text", "text": "Alert me when a fire starts."},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}},
    ]
    body = {"model": "scripted", "messages": [{"role": "user", "content": content}]}
    headers = {"Authorization": f"Bearer {known.api_key}", "x-session-id": "kitchen"}
    async with (
        aiohttp.ClientSession(headers=headers) as http,
        http.post(f"{known.gateway_url}/v1/chat/completions", json=body) as answer,
    ):
        return answer.status


async def test_an_engine_that_is_not_there(tmp_path: Path, two_ports: list[int]) -> None:
    url = f"http://127.0.0.1:{two_ports[0]}"
    result = await vigil("up", "--data-dir", str(tmp_path), "--engine-url", url, "--model", "m", *side_by_side())
    assert result.status == 1
    assert f"the engine at {url} cannot be used: not listening yet" in result.output
    assert json.dumps(os.listdir(tmp_path)).count(FILE) == 0


async def test_an_engine_without_the_model(tmp_path: Path, engine_url: str) -> None:
    result = await vigil(
        "up", "--data-dir", str(tmp_path), "--engine-url", engine_url, "--model", "another", *side_by_side()
    )
    assert result.status == 1
    assert "no model 'another' (it has: scripted)" in result.output
