"""What the tests of the example modules share: a played camera, what sessions are told, modules as processes."""

import asyncio
import contextlib
import io
import itertools
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import nats
import pytest
from finding import Finding
from looking import Look, look_on
from modules.pictures import room
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from PIL import Image
from reference.code import ROOT

from vigil.contract import subjects
from vigil.contract.events.observations import read_observation
from vigil.contract.frames import Frame, FrameGroup, encode_group
from vigil.core.ids import SessionKey
from vigil.core.observation import Observation
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.handled import handled
from vigil_client.modules import Frame as Picture
from vigil_client.modules import Module

EXAMPLES = ROOT / "examples/modules"
INSTALLED = ROOT / "build/modules"
# Intel's sample videos (CC BY 4.0), of which no copy is kept here: a link to them, for who has them.
FOOTAGE = ROOT / "build/footage"
KEY = SessionKey("demo", "s-1")
AT_US = 1_767_225_600_000_000
SECOND_US = 1_000_000
PACE_S = 0.1  # between two pictures for a process, which looks at the newest one


@dataclass
class Stage:
    """A camera's place at NATS, and what the sessions of the tenant `demo` were told."""

    url: str
    connection: Nats
    told: list[tuple[str, Observation]] = field(default_factory=list)
    shown: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def address(self, module: str) -> str:
        """What `vigil modules add` would print."""
        return f"nats://module.demo.{module}:secret@{self.url.removeprefix('nats://')}"

    async def show(self, jpeg: bytes, session: str = "s-1") -> int:
        """Show a session a picture, a second after the last one; its capture time in microseconds."""
        self.shown += 1
        at_us = AT_US + self.shown * SECOND_US
        with Image.open(io.BytesIO(jpeg)) as picture:
            frame = Frame(jpeg, *picture.size, at_us)
        key = SessionKey("demo", session)
        group = FrameGroup(key, self.shown * 1_000, self.shown, (frame,), 1)
        await self.connection.publish(subjects.raw_frames(key), encode_group(group))
        await self.connection.flush()
        return at_us

    def texts(self, session: str = "s-1") -> list[str]:
        """What a session was told."""
        return [observation.text for of, observation in self.told if of == session]

    async def until_told(self, text: str, session: str = "s-1") -> Observation:
        """Wait until a session was told this; what it was told."""
        await eventually(lambda: text in self.texts(session), what=f"{session} is told {text!r}")
        return next(seen for of, seen in self.told if of == session and seen.text == text)

    async def show_until_told(
        self, pictures: Sequence[bytes], text: str, process: Process, sessions: Sequence[str] = ("s-1",)
    ) -> Observation:
        """Show the sessions pictures in turn, again and again, until the first is told this by a process that lives."""
        for picture in itertools.cycle(pictures):
            assert process.returncode is None, await said(process)
            self.news.clear()
            for session in sessions:
                await self.show(picture, session)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.news.wait(), PACE_S)
            if text in self.texts(sessions[0]):
                break
        return await self.until_told(text, sessions[0])


@asynccontextmanager
async def stage_at(url: str) -> AsyncIterator[Stage]:
    """A stage at a NATS server, which hears what all sessions of `demo` are told."""
    connection = await nats.connect(url)
    stage = Stage(url, connection)

    async def take(message: Msg) -> None:
        if message.reply:  # somebody asks whether this is heard
            return
        key, observation = read_observation(message.subject, message.data)
        stage.told.append((key.session, observation))
        stage.news.set()

    await connection.subscribe("vigil.v1.observation.demo.*.*", cb=take)
    await handled(connection)
    yield stage
    await connection.close()


class Seen:
    """A look that tells which pictures were looked at, so that a test shows the next one then."""

    def __init__(self, look: Look) -> None:
        self._look, self._loop = look, asyncio.get_running_loop()
        self.times_us: asyncio.Queue[int] = asyncio.Queue()

    def __call__(self, frame: Picture) -> Sequence[Finding]:
        try:
            return self._look(frame)
        finally:
            self._loop.call_soon_threadsafe(self.times_us.put_nowait, frame.capture_time_us)

    async def until(self, time_us: int) -> None:
        """Wait until the picture of this time was looked at."""
        async with asyncio.timeout(DEADLINE_S):
            while await self.times_us.get() != time_us:
                pass


async def show_all(stage: Stage, name: str, kind: str, look: Look, pictures: Sequence[tuple[str, bytes]]) -> int:
    """Show pictures, each with its session, to a module in this process, each once what the one before gave was told.
    Returns the number of the last one, whose time is so many seconds after `AT_US`."""
    seen = Seen(look)
    async with Module.connect(url=stage.address(name)) as module:
        looking = asyncio.create_task(look_on(module, kind, seen))
        while seen.times_us.empty():  # until the module has subscribed
            await stage.show(room(), "s-before")
            await asyncio.wait({looking}, timeout=0.1)
        for session, picture in pictures:
            await seen.until(await stage.show(picture, session))
        last = stage.shown
        await seen.until(await stage.show(room(), "s-after"))
        assert not looking.done()
        looking.cancel()
    return last


def installed(name: str) -> str:
    """The Python of a module's own environment; skips the test, in words, where it is not installed."""
    python = INSTALLED / name / "bin/python"
    if not python.exists():
        pytest.skip(f"the module `{name}` is not installed: make modules")
    return str(python)


@asynccontextmanager
async def running(name: str, *arguments: str, python: str = sys.executable) -> AsyncIterator[Process]:
    """A module as a process, as its README starts it."""
    async with begun((python, "-m", name, *arguments)) as process:
        yield process


@asynccontextmanager
async def begun(command: Sequence[str]) -> AsyncIterator[Process]:
    """A process that finds the example modules; killed at the end when it has not ended by then."""
    process = await asyncio.create_subprocess_exec(*command, cwd=EXAMPLES, stdout=PIPE, stderr=STDOUT)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_said(process: Process, words: str, limit_s: float = 280.0) -> None:
    """Read what the process says until it says these words."""
    assert process.stdout is not None
    async with asyncio.timeout(limit_s):
        await process.stdout.readuntil(words.encode())


async def said(process: Process) -> str:
    """All that a process said that has ended."""
    assert process.stdout is not None
    return (await process.stdout.read()).decode()


async def command(name: str, *arguments: str, python: str = sys.executable) -> tuple[int, str]:
    """Run a module's command to its end: its exit status and what it said."""
    async with running(name, *arguments, python=python) as process:
        text = (await process.communicate())[0].decode()
        return process.returncode or 0, text
