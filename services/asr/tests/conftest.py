"""Fixtures of the asr service's tests."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from vigil_asr.recognizers.connection import http_session
from vigil_asr.testing.scripted_engine import ScriptedEngine


@pytest.fixture
async def engine() -> AsyncIterator[ScriptedEngine]:
    """A stand-in for any engine."""
    async with ScriptedEngine().serving() as serving:
        yield serving


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """What connections to engines are made with."""
    async with http_session() as session:
        yield session
