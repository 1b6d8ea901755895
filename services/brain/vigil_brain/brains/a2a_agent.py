"""The kind `a2a`: an agent that speaks A2A 1.0. The official SDK is the extra `vigil-brain[a2a]`;
only `vigil_brain.brains.a2a_client` and what it imports need it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import msgspec

from vigil_brain.brains.port import Brain, BrainError
from vigil_brain.brains.spec import BrainSpec


class A2ASettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. The agent's card is at `url` + `/.well-known/agent-card.json`. `pictures` is how
    many of the newest the agent gets."""

    url: str
    pictures: Annotated[int, msgspec.Meta(ge=0, le=64)] = 4


@asynccontextmanager
async def open_a2a(settings: A2ASettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """The agent at `settings.url`. Raises `BrainError` when the SDK is not installed."""
    try:
        from vigil_brain.brains.a2a_client import open_agent
    except ImportError:
        raise BrainError("a brain of the kind a2a needs the extra vigil-brain[a2a], which is not installed") from None
    async with open_agent(settings.url, settings.pictures, spec) as brain:
        yield brain
