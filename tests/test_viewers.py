"""Many people look: 200 who come at once to one session, one of them slow and some away for a while; and a wall of a
hundred sessions.

The figures are printed (`pytest -s`): docs/bench.md has them.
"""

import asyncio
import json
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import quantiles

import aiohttp
import pytest
from gateway_stage import KEYS, Stage, gateway_stage

from vigil.contract.decision import decision_outgoing
from vigil.contract.outgoing import Outgoing
from vigil.testing.emitted import decision, spec
from vigil.testing.eventually import eventually
from vigil_client.options import NewSession, NewSource
from vigil_client.sse import Parser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

VIEWERS, TURNS, PACE_S, AGAIN_S = 200, 40, 0.5, 0.5
AWAY, COMING_S = 20, 60
# What fills the buffers of a client that reads nothing, at both ends: decisions of many words.
MANY_WORDS, FILLING = "x" * 80_000, 48
SESSIONS, SECONDS = 100, 12
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
SETTINGS = {"STREAMS_PER_TENANT": 256, "STATUS_INTERVAL_S": 2.0}


class Viewer:
    """Reads one session's events. `sequences` are those of the decisions that came, `late_s` how long each took."""

    def __init__(self, http: aiohttp.ClientSession, path: str, told_s: dict[int, float]) -> None:
        self._http = http
        self._path = path
        self._told_s = told_s
        self.sequences: list[int] = []
        self.late_s: list[float] = []
        self.last_id = ""
        self.is_there = asyncio.Event()

    async def look(self) -> None:
        """Until cancelled; goes on where it was. A gateway that is too busy is asked again, as the SDK does."""
        while True:
            if await self._heard():
                return
            await asyncio.sleep(AGAIN_S)

    async def _heard(self) -> bool:
        parser = Parser(self.last_id)
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        async with self._http.get(self._path, headers=headers) as answer:
            if answer.status == 503:
                return False
            assert answer.status == 200, await answer.text()
            async for chunk in answer.content.iter_any():
                for received in parser.feed(chunk):
                    self.is_there.set()
                    self.last_id = received.id
                    if received.kind == "decision":
                        sequence = json.loads(received.data)["sequence"]
                        self.sequences.append(sequence)
                        self.late_s.append(time.monotonic() - self._told_s[sequence])
        return True


def decided(session: str, sequence: int, text: str = "") -> Outgoing:
    """A decision of now."""
    return decision_outgoing(spec(session), decision(sequence, text), emit_time_us=time.time_ns() // 1_000)


def cpu_s(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


async def metric(stage: Stage, name: str) -> float:
    """A figure of the gateway."""
    async with aiohttp.ClientSession() as http, http.get(stage.metrics_url) as answer:
        found = re.search(rf"^{name} ([\d.e+]+)$", await answer.text(), re.MULTILINE)
    return float(found[1]) if found else 0.0


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with gateway_stage(tmp_path, more=SETTINGS) as opened:
        yield opened


@asynccontextmanager
async def unread(stage: Stage, path: str) -> AsyncIterator[None]:
    """A client that reads nothing and has little room."""
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    narrow.connect(("127.0.0.1", int(stage.url.rpartition(":")[2])))
    reader, writer = await asyncio.open_connection(sock=narrow, limit=1_024)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEYS['demo']}\r\n\r\n".encode())
    try:
        assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
        yield
    finally:
        writer.close()


async def test_two_hundred_viewers_of_one_session(stage: Stage) -> None:
    async with stage.client() as client:
        session = (await client.create_session(NewSession(NewSource("rtsp://camera.local/1", "lobby")))).id
    path, told_s = f"/v1/sessions/{session}/events", dict[int, float]()
    async with AsyncExitStack() as stack:
        connector = aiohttp.TCPConnector(limit=0)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                stage.url, connector=connector, headers={"Authorization": f"Bearer {KEYS['demo']}"}, read_bufsize=2**20
            )
        )
        viewers = [Viewer(http, path, told_s) for _ in range(VIEWERS)]
        began_s = time.monotonic()
        tasks = [asyncio.create_task(viewer.look()) for viewer in viewers]
        await asyncio.gather(*(asyncio.wait_for(viewer.is_there.wait(), COMING_S) for viewer in viewers))
        print(f"{VIEWERS} viewers came at once: all are there after {time.monotonic() - began_s:.1f} s")  # noqa: T201
        await stack.enter_async_context(unread(stage, path))
        began_s, used_s = time.monotonic(), cpu_s(stage.pid)
        for turn in range(TURNS):
            if turn == TURNS // 4:  # some are away for a while
                for task in tasks[:AWAY]:
                    task.cancel()
                await asyncio.wait(tasks[:AWAY])
            if turn == TURNS // 2:
                tasks[:AWAY] = [asyncio.create_task(viewer.look()) for viewer in viewers[:AWAY]]
            told_s[turn] = time.monotonic()
            await stage.bus.publish_stored(decided(session, turn))
            await asyncio.sleep(PACE_S)
        await eventually(lambda: all(len(viewer.sequences) >= TURNS for viewer in viewers), 60, "all have heard it")
        cores = (cpu_s(stage.pid) - used_s) / (time.monotonic() - began_s)
        late_s = [late for viewer in viewers[AWAY:] for late in viewer.late_s]
        cuts = quantiles(late_s, n=100)
        print(f"{VIEWERS} viewers: {cores:.2f} cores, p50 {cuts[49] * 1e3:.0f} ms, p99 {cuts[98] * 1e3:.0f} ms")  # noqa: T201
        assert all(viewer.sequences == list(range(TURNS)) for viewer in viewers), "each once and in order"
        began_s, used_s = time.monotonic(), cpu_s(stage.pid)
        for turn in range(TURNS, TURNS + FILLING):
            told_s[turn] = time.monotonic()
            await stage.bus.publish_stored(decided(session, turn, MANY_WORDS))
            await eventually(partial(have_heard, viewers, turn), COMING_S, "all go on")
        megabytes, took_s = FILLING * len(MANY_WORDS) * VIEWERS / 1e6, time.monotonic() - began_s
        print(f"{megabytes:.0f} MB to all of them: {took_s:.0f} s, {cpu_s(stage.pid) - used_s:.1f} s of processor time")  # noqa: T201
        await eventually(lambda: is_let_go(stage), 60, "the slow one is let go")
        print(f"the slow one was let go {time.monotonic() - began_s - took_s:.0f} s later")  # noqa: T201
        assert not any(task.done() for task in tasks), "and nobody else"
        assert all(viewer.sequences == list(range(TURNS + FILLING)) for viewer in viewers), "who missed nothing"
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def have_heard(viewers: Sequence[Viewer], turn: int) -> bool:
    """Whether that decision is the newest of all."""
    return all(viewer.sequences[-1] == turn for viewer in viewers)


async def is_let_go(stage: Stage) -> bool:
    return await metric(stage, "vigil_gateway_event_streams") == VIEWERS


async def test_a_wall_of_a_hundred_sessions_is_cheap(stage: Stage) -> None:
    async with stage.client() as client:
        sessions = [
            (await client.create_session(NewSession(NewSource(f"rtsp://camera-{number}.local/1")))).id
            for number in range(SESSIONS)
        ]
    alone = await decided_for(stage, sessions, 0)
    async with stage.http(KEYS["demo"]) as http:
        writes: list[list[dict[str, object]]] = [[], [], []]
        tasks = [asyncio.create_task(looked(http, seen)) for seen in writes]
        await eventually(lambda: all(len(seen) >= SESSIONS for seen in writes), 30, "all tiles are there")
        looked_at = await decided_for(stage, sessions, SECONDS)
        newest = dict.fromkeys(sessions, 2 * SECONDS - 1)
        await eventually(lambda: all(last_of(seen) == newest for seen in writes), 30, "the newest of each session")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    print(f"{SESSIONS} sessions at 1 Hz: {alone:.3f} cores with no wall, {looked_at:.3f} with three")  # noqa: T201
    for seen in writes:
        assert len(seen) <= SESSIONS * (SECONDS + 6), "at most one tile a second and session"


async def decided_for(stage: Stage, sessions: list[str], first: int) -> float:
    """Decide for all sessions once a second; how many cores the gateway uses meanwhile."""
    began_s, used_s = time.monotonic(), cpu_s(stage.pid)
    for second in range(SECONDS):
        for session in sessions:
            await stage.bus.publish_stored(decided(session, first + second))
        await asyncio.sleep(max(0.0, began_s + second + 1 - time.monotonic()))
    return (cpu_s(stage.pid) - used_s) / (time.monotonic() - began_s)


async def looked(http: aiohttp.ClientSession, seen: list[dict[str, object]]) -> None:
    """Read a wall's tiles until cancelled."""
    parser = Parser()
    async with http.get("/v1/wall") as answer:
        async for chunk in answer.content.iter_any():
            seen += [json.loads(received.data) for received in parser.feed(chunk) if received.kind == "tile"]


def last_of(seen: list[dict[str, object]]) -> dict[str, int]:
    """The newest decision that was seen of each session."""
    return {str(tile["session"]): tile["last"]["sequence"] for tile in seen if tile["last"]}  # type: ignore[index]
