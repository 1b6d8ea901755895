"""What the tests of brains share: a stand-in server, somebody who is told, and a question."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette

from vigil.testing.eventually import eventually
from vigil.testing.scripted_brain import ScriptedBrain
from vigil_brain.brains.port import BrainTask, Picture
from vigil_brain.testing.told import RecordedTold


@pytest.fixture
async def server() -> AsyncIterator[ScriptedBrain]:
    async with ScriptedBrain() as running:
        yield running


@pytest.fixture
def told() -> RecordedTold:
    return RecordedTold()


@pytest.fixture
def task() -> BrainTask:
    pictures = (Picture(1_000, b"\xff\xd8first"), Picture(2_000, b"\xff\xd8second"))
    return BrainTask("s1-7", "What is 12 times 34?", note="Let me check.", language="en", pictures=pictures)


Serve = Callable[[Starlette], AbstractAsyncContextManager[str]]


@pytest.fixture
def serve() -> Serve:
    """Serves an ASGI application on a free port of this host, and gives its root address."""

    @asynccontextmanager
    async def serving(app: Starlette) -> AsyncIterator[str]:
        config = uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        await eventually(lambda: server.started, what="the ASGI server listens")
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await running

    return serving
