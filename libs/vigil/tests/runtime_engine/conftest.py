"""A scripted engine and a client that is connected to it."""

from collections.abc import AsyncIterator

import pytest

from vigil.runtime.engine.client import Engine, EngineConfig
from vigil.testing.scripted_engine import ScriptedEngine


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedEngine]:
    async with ScriptedEngine() as server:
        yield server


@pytest.fixture
async def engine(scripted: ScriptedEngine) -> AsyncIterator[Engine]:
    async with Engine(EngineConfig(scripted.url, "scripted")) as client:
        yield client
