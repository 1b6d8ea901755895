"""Ingestion as its operator meets it: a real process, its gRPC, its death."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.frames import FrameGroup, decode_group
from vigil.core.ids import SessionKey
from vigil.core.session import Cadence, SessionSpec
from vigil.core.source import Role, Source, SourceKind
from vigil.runtime.bus.client import Bus
from vigil.runtime.placement.leases import Placement
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.ports import free_port
from vigil.testing.rtsp import Camera
from vigil.testing.servers import NatsServer, RedisServer
from vigil.testing.videos import write_video
from vigil.v1.ingestion_pb2 import ProbeSourceRequest, ProbeSourceResponse, SourceFault
from vigil.v1.ingestion_pb2_grpc import IngestionServiceStub

KEY = SessionKey("demo", "s-1")
GAP_MS = 4_000  # a lease of three seconds, and a camera that is opened
TAKEOVERS = 4


@asynccontextmanager
async def process(nats_url: str, redis_url: str, **settings: object) -> AsyncIterator[asyncio.subprocess.Process]:
    """`vigil-ingestion`, killed on leaving if it still runs."""
    variables = {
        "NATS_URL": nats_url,
        "REDIS_URL": redis_url,
        "HTTP_PORT": 0,
        "GRPC_PORT": 0,
        "LOCAL_SOURCE_TENANTS": "demo",
    }
    variables |= settings
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vigil_ingestion.main"),
        env={"PATH": os.defpath, **{f"VIGIL_{name}": str(value) for name, value in variables.items()}},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def ready(http_port: int) -> None:
    async def answers() -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{http_port}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False

    async with aiohttp.ClientSession() as session:
        await eventually(answers, what="ingestion is ready")


async def test_a_killed_worker_is_followed_by_another_within_three_seconds(
    nats_server: NatsServer, redis_server: RedisServer, bus: Bus, redis: Redis, tmp_path: Path
) -> None:
    """Where other work holds the machine up, one of several times."""
    video = write_video(tmp_path / "a.mp4", seconds=4)
    store, placement = SessionStore(redis), Placement(redis)
    await store.create(
        SessionSpec(
            KEY.tenant,
            KEY.session,
            Source("cam", SourceKind.FILE, f"file://{video}", loop=True),
            "vigil-small",
            "m",
            cadence=Cadence(200),
        )
    )
    gaps_ms: list[float] = []
    workers: dict[str, asyncio.subprocess.Process] = {}
    async with (
        bus.keep_latest(subjects.coded_frames(KEY)),  # a file waits until somebody decides on its turns
        bus.subscribe(subjects.raw_frames(KEY), capacity=1_000) as messages,
        AsyncExitStack() as running,
    ):

        async def start(name: str) -> None:
            port = free_port()
            started = process(nats_server.url, redis_server.url, WORKER=name, HTTP_PORT=port)
            workers[name] = await running.enter_async_context(started)
            await ready(port)

        async def shown() -> FrameGroup:
            async with asyncio.timeout(DEADLINE_S):
                return decode_group((await anext(messages)).payload)

        await start("worker-0")
        await placement.open(KEY, tuple(Role))
        before = await shown()
        while len(gaps_ms) < TAKEOVERS and min(gaps_ms, default=GAP_MS) >= GAP_MS:
            await start(f"worker-{len(gaps_ms) + 1}")
            killed = await placement.owner(Role.INGESTION, KEY)
            assert killed is not None
            workers[killed].kill()
            await workers.pop(killed).wait()
            while (after := await shown()).fence == before.fence:
                before = after
            gap_ms = (after.frames[0].capture_time_us - before.frames[0].capture_time_us) / 1_000
            assert after.fence > before.fence
            assert after.time_ms - before.time_ms == pytest.approx(gap_ms, abs=200)
            gaps_ms.append(gap_ms)
            before = after
        for worker in workers.values():
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(worker.wait(), DEADLINE_S) == 0
    assert 0 < min(gaps_ms) < GAP_MS, gaps_ms


async def test_a_draining_worker_shows_the_camera_until_the_next_one_does(
    nats_server: NatsServer, redis_server: RedisServer, bus: Bus, redis: Redis, camera: Camera
) -> None:
    server = await camera()
    store, placement = SessionStore(redis), Placement(redis)
    await store.create(
        SessionSpec(
            KEY.tenant,
            KEY.session,
            Source("cam", SourceKind.RTSP, server.url),
            "vigil-small",
            "m",
            cadence=Cadence(200),
        )
    )
    port = free_port()
    async with (
        bus.subscribe(subjects.raw_frames(KEY), capacity=1_000) as messages,
        process(nats_server.url, redis_server.url, WORKER="one") as worker,
    ):
        await placement.open(KEY, tuple(Role))
        async with asyncio.timeout(DEADLINE_S):
            groups = [decode_group((await anext(messages)).payload)]
        async with process(nats_server.url, redis_server.url, WORKER="two", HTTP_PORT=port):
            await ready(port)
            worker.send_signal(signal.SIGTERM)
            async with asyncio.timeout(DEADLINE_S):
                while groups[-1].fence < 2:
                    groups.append(decode_group((await anext(messages)).payload))
            assert await asyncio.wait_for(worker.wait(), DEADLINE_S) == 0
    taken_us = [group.frames[0].capture_time_us for group in groups]
    assert max(after - before for before, after in pairwise(taken_us)) < 700_000, "no second without a picture"


async def test_sources_are_probed(
    nats_server: NatsServer, redis_server: RedisServer, tmp_path: Path, free_port: int
) -> None:
    root = tmp_path / "videos"
    root.mkdir()
    write_video(root / "a.mp4", seconds=1)
    (root / "zero.mp4").touch()
    (root / "text.mp4").write_text("no video\n" * 300)
    whole = write_video(root / "cut.mp4", seconds=1)
    whole.write_bytes(whole.read_bytes()[:900])
    (tmp_path / "outside.mp4").write_bytes(b"x")
    http_port, grpc_port = _two_ports()
    expected = {
        f"file://{root}/a.mp4": SourceFault.SOURCE_FAULT_UNSPECIFIED,
        f"file://{root}/none.mp4": SourceFault.SOURCE_FAULT_NOT_FOUND,
        f"file://{root}/zero.mp4": SourceFault.SOURCE_FAULT_EMPTY,
        f"file://{root}/text.mp4": SourceFault.SOURCE_FAULT_NOT_A_VIDEO,
        f"file://{root}/cut.mp4": SourceFault.SOURCE_FAULT_NOT_A_VIDEO,
        f"file://{tmp_path}/outside.mp4": SourceFault.SOURCE_FAULT_FORBIDDEN,
        f"rtsp://user:s3cret@127.0.0.1:{free_port}/cam": SourceFault.SOURCE_FAULT_UNREACHABLE,
        "ftp://camera/a.mp4": SourceFault.SOURCE_FAULT_FORBIDDEN,
    }
    settings = {"HTTP_PORT": http_port, "GRPC_PORT": grpc_port, "FILE_ROOT": root}
    async with process(nats_server.url, redis_server.url, **settings):
        await ready(http_port)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel:
            probe: Callable[..., grpc.aio.UnaryUnaryCall[ProbeSourceRequest, ProbeSourceResponse]]
            probe = IngestionServiceStub(channel).ProbeSource
            answers = {url: await probe(ProbeSourceRequest(url=url, tenant="demo"), timeout=15) for url in expected}
            other = await probe(ProbeSourceRequest(url=f"rtsp://127.0.0.1:{free_port}/cam", tenant="other"), timeout=15)
    assert other.fault == SourceFault.SOURCE_FAULT_FORBIDDEN
    assert "VIGIL_LOCAL_SOURCE_TENANTS" in other.message
    assert {url: answer.fault for url, answer in answers.items()} == expected
    good = answers[f"file://{root}/a.mp4"]
    assert (good.width, good.height, good.frames_per_second, good.codec) == (320, 192, 10.0, "h264")
    for url, answer in answers.items():
        assert bool(answer.message) == (url != f"file://{root}/a.mp4")
        assert "s3cret" not in answer.message


async def test_nats_that_is_down_at_the_start_is_waited_for(tmp_path: Path, redis_server: RedisServer) -> None:
    server, port = NatsServer(tmp_path / "late"), free_port()
    async with process(server.url, redis_server.url, HTTP_PORT=port) as worker:
        async with aiohttp.ClientSession() as http:
            told = await eventually(partial(not_ready, http, port), what="it is alive and not ready")
        assert told is not None
        assert told["checks"]["redis"] == "ok"
        assert told["checks"]["nats"] != "ok"
        await server.start()
        try:
            await ready(port)
            worker.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(worker.wait(), DEADLINE_S) == 0
        finally:
            await server.kill()


async def not_ready(http: aiohttp.ClientSession, http_port: int) -> dict[str, Any] | None:
    """What `/readyz` says against being ready; None while nobody listens, or when it is ready."""
    try:
        async with http.get(f"http://127.0.0.1:{http_port}/readyz") as response:
            return await response.json() if response.status == 503 else None
    except aiohttp.ClientError:
        return None


async def test_wrong_settings_are_one_clear_line_each(tmp_path: Path) -> None:
    async with process(
        "nats://127.0.0.1:1", "redis://127.0.0.1:1", FILE_ROOT=tmp_path / "none", READ_TIMEOUT_S=0
    ) as it:
        _, errors = await asyncio.wait_for(it.communicate(), DEADLINE_S)
    lines = errors.decode().splitlines()
    assert it.returncode == 2
    assert len(lines) == 2
    assert any("VIGIL_FILE_ROOT" in line for line in lines)
    assert any("VIGIL_READ_TIMEOUT_S" in line for line in lines)


def _two_ports() -> tuple[int, int]:
    return free_port(), free_port()
