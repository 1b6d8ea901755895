"""Tools that act: a watch added or removed, a question asked. They take a key of the role operator."""

import asyncio

from pydantic import Field

from vigil.contract.api_keys import KeyRole
from vigil.core.ids import SessionKey
from vigil.core.turn import Exchange, ExchangeState
from vigil_gateway.agent.mcp.reading import UNTRUSTED, OfSession
from vigil_gateway.agent.mcp.tool import Answer, Tool
from vigil_gateway.api.models.base import Text
from vigil_gateway.api.models.standing import WatchIn
from vigil_gateway.ports import Ports, session_key
from vigil_gateway.sessions import commands
from vigil_gateway.sessions.views import exchange_out
from vigil_gateway.sessions.watches import add_watch, clear_watch

LOOK_S = 0.25
MAX_WAIT_S = 30.0


class NewWatch(WatchIn, OfSession):
    """A watch, and the session that is to have it."""


class OldWatch(OfSession):
    """Which watch."""

    watch_id: str = Field(max_length=64, description="The `id` of a watch, as list_watches has it")


class Question(OfSession):
    """A question about what a camera shows."""

    text: Text = Field(description="The question", examples=["How many people are in the room?"])
    wait_s: float = Field(20.0, ge=0, le=MAX_WAIT_S, description="Seconds to wait for the answer; 0: do not wait")


async def _add_watch(ports: Ports, tenant: str, asked: NewWatch) -> Answer:
    key = await session_key(ports, tenant, asked.session)
    watch = WatchIn.model_validate(asked.model_dump(exclude={"session"}))
    return (await add_watch(ports, key, watch)).model_dump(mode="json")


async def _remove_watch(ports: Ports, tenant: str, asked: OldWatch) -> Answer:
    key = await session_key(ports, tenant, asked.session)
    return (await clear_watch(ports, key, asked.watch_id)).model_dump(mode="json")


async def _ask(ports: Ports, tenant: str, asked: Question) -> Answer:
    key = await session_key(ports, tenant, asked.session)
    before = frozenset(_same(await _dialogue(ports, key), asked.text))
    query_id = await commands.ask(ports, key, asked.text)
    answer = await _answer(ports, key, asked, before)
    told = {
        "id": query_id,
        "session": key.session,
        "exchange": None if answer is None else exchange_out(answer).model_dump(mode="json"),
    }
    if answer is None:
        told["next_step"] = "The model has not answered yet, and may not: look at show_history."
    return told


async def _answer(ports: Ports, key: SessionKey, asked: Question, before: frozenset[int]) -> Exchange | None:
    """The exchange of this question once the model has said something to it; None when it did not in time."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + asked.wait_s
    while loop.time() < until_s:
        await asyncio.sleep(LOOK_S)
        found = _same(await _dialogue(ports, key), asked.text)
        new = [exchange for asked_ms, exchange in found.items() if asked_ms not in before]
        if new and new[-1].state is not ExchangeState.OPEN:
            return new[-1]
    return None


async def _dialogue(ports: Ports, key: SessionKey) -> tuple[Exchange, ...]:
    return (await ports.store.history(key)).dialogue


def _same(dialogue: tuple[Exchange, ...], text: str) -> dict[int, Exchange]:
    """The exchanges about this question, by when it was asked."""
    return {exchange.asked_ms: exchange for exchange in dialogue if exchange.query == text}


_OPERATOR = KeyRole.OPERATOR

TOOLS = (
    Tool(
        "add_watch",
        "Add a watch",
        "Have a session raise alerts when something happens. The model knows of it from its next turn on.",
        NewWatch,
        _add_watch,
        _OPERATOR,
    ),
    Tool(
        "remove_watch",
        "Remove a watch",
        "End a watch of a session; an open alert of it is closed.",
        OldWatch,
        _remove_watch,
        _OPERATOR,
        ends=True,
    ),
    Tool(
        "ask",
        "Ask about a camera",
        "Ask the model of a session about what it sees, and wait for the answer." + UNTRUSTED,
        Question,
        _ask,
        _OPERATOR,
    ),
)
