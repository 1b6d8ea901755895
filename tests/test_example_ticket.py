"""The example that goes from seeing to acting, as its README runs it: nothing is written that nobody granted."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from gateway_stage import KEYS, gateway_stage

from vigil.testing.alert_events import alert_event
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port

pytestmark = pytest.mark.timeout(300)

EXAMPLE = Path(__file__).parent.parent / "examples" / "ticket"
TOLD_S = 60.0


@asynccontextmanager
async def running(program: str, *arguments: str) -> AsyncIterator[Process]:
    """A program of the example, ended on leaving. It hears Ctrl-C also where whoever runs the tests ignores it."""
    command = ("env", "--default-signal=INT", sys.executable, str(EXAMPLE / program), *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def told(process: Process, words: str) -> None:
    """Read what the program says until it says these words."""
    assert process.stdout is not None
    async with asyncio.timeout(TOLD_S):
        await process.stdout.readuntil(words.encode())


async def test_a_ticket_is_written_once_a_person_grants_it(tmp_path: Path) -> None:
    port = free_port()
    tickets = f"http://127.0.0.1:{port}/tickets"
    arguments = ("--key", KEYS["demo"], "--camera", "rtsp://camera.local/1", "--desk", tickets)
    async with (
        gateway_stage(tmp_path, more={"AGENT_DOORS": "true"}) as stage,
        running("desk.py", "--port", str(port)) as desk,
        running("agent.py", "--gateway", stage.url, *arguments) as agent,
        stage.client() as client,
        aiohttp.ClientSession() as http,
    ):
        await told(desk, "takes tickets")
        await told(agent, "Vigil watches")
        (session,) = await client.sessions()
        (watch,) = await client.watches(session.id)

        async def see(number: int, answer: bytes) -> None:
            ours: dict[str, Any] = {"session": session.id, "instruction_id": watch.id, "source_id": "example"}
            await stage.bus.publish_stored(alert_event(number, "opened", **ours))
            await told(agent, "[y/N] ")
            assert agent.stdin is not None
            agent.stdin.write(answer)

        await see(1, b"n\n")
        await told(agent, "refused")
        await see(2, b"y\n")
        await told(agent, "written: fire at Lobby (critical)")
        async with http.get(tickets) as answer:
            assert await answer.json() == ["fire at Lobby (critical)"]

        agent.send_signal(signal.SIGINT)
        await told(agent, "the watch has ended")

        async def ended() -> bool:
            return (await client.session(session.id)).state == "ended"

        await eventually(ended, what="the session has ended with the task")
