"""`vigil up` as a whole: real servers and services, a scripted engine, and nothing left behind."""

import asyncio
import json
import os
import re
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest

from vigil.testing.eventually import eventually
from vigil_client.api import Client
from vigil_client.endpoints import FILE, Endpoints, read
from vigil_client.testing.command import start, vigil
from vigil_local.testing.processes import runs

READY_S = 60.0


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


async def up(data_dir: Path, engine_url: str, *more: str) -> tuple[asyncio.subprocess.Process, Endpoints]:
    arguments = ("up", "--data-dir", str(data_dir), "--engine-url", engine_url, "--model", "scripted", *more)
    process = await start(*arguments)
    await eventually(lambda: (data_dir / FILE).exists() or process.returncode is not None, READY_S, "vigil up")
    assert process.returncode is None, (await process.communicate())[0].decode()
    return process, read(data_dir / FILE)


def temporary_of(endpoints: Endpoints) -> Path:
    """The temporary directory that a service was given."""
    variables = Path(f"/proc/{endpoints.pids['gateway']}/environ").read_bytes().split(b"\0")
    return Path(next(line.decode().partition("=")[2] for line in variables if line.startswith(b"TMPDIR=")))


async def test_up_heals_itself_and_leaves_nothing_behind(tmp_path: Path, engine_url: str) -> None:
    process, known = await up(tmp_path, engine_url)
    assert set(known.pids) == {"nats", "redis", "ingestion", "codec", "interaction", "gateway"}
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


async def test_nothing_outlives_a_killed_up(tmp_path: Path, engine_url: str) -> None:
    process, known = await up(tmp_path, engine_url)
    temporary = temporary_of(known)
    process.kill()
    await process.wait()
    await eventually(lambda: not any(runs(pid) for pid in known.pids.values()), what="the end of every process")
    await eventually(lambda: not temporary.exists() and not (tmp_path / FILE).exists(), what="the files being removed")
    endpoint = {"name": "pager", "tenant": "demo", "url": "http://127.0.0.1:9/", "secret": "whsec_" + "A" * 32}
    (tmp_path / "webhooks.json").write_text(json.dumps({"endpoints": [endpoint]}))
    again, after = await up(tmp_path, engine_url, "--webhooks", str(tmp_path / "webhooks.json"))
    assert after.api_key == known.api_key
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


async def test_the_demo_delivers_an_alert_and_says_how_fast(tmp_path: Path, engine_url: str) -> None:
    burning_video(tmp_path / "fire.mp4")
    source = ("--source", str(tmp_path / "fire.mp4"), "--duration", "14")
    engine = ("--engine-url", engine_url, "--model", "scripted")
    result = await vigil("demo", *source, *engine, "--data-dir", str(tmp_path / "run"), deadline_s=90.0)
    assert result.status == 0, result.output
    assert "ALERT opened" in result.output
    assert "ALERT closed" in result.output
    assert re.search(r"first decision \d+\.\d s after start; \d+ decisions, \d+ frames skipped", result.output)
    assert re.search(r"opened and closed; \d+ ms from capture to delivery on NATS", result.output)


async def test_an_engine_that_is_not_there(tmp_path: Path, two_ports: list[int]) -> None:
    url = f"http://127.0.0.1:{two_ports[0]}"
    result = await vigil("up", "--data-dir", str(tmp_path), "--engine-url", url, "--model", "m")
    assert result.status == 1
    assert f"the engine at {url} cannot be used: not listening yet" in result.output
    assert json.dumps(os.listdir(tmp_path)).count(FILE) == 0


async def test_an_engine_without_the_model(tmp_path: Path, engine_url: str) -> None:
    result = await vigil("up", "--data-dir", str(tmp_path), "--engine-url", engine_url, "--model", "another")
    assert result.status == 1
    assert "no model 'another' (it has: scripted)" in result.output
