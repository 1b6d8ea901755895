"""How the results of delegated questions reach the model in one play of a script, and in which turns they did.

Through the system's own brain service, whose brain is the exam's stand-in; or, where the system has other brains, in
the text of the turn in which they are due.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from vigil_client.alerts import subscribed
from vigil_recipe.exam.players.background import Background
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.stand_in import StandIn, answer_of
from vigil_recipe.scenarios import Script

READY_WITHIN_S = 20.0
LOOK_S = 0.05


class Results(Protocol):
    """The results of one play."""

    async def bring(self, turn: int) -> tuple[str, ...]:
        """Bring what is due in this turn; returns the lines that the player shall ask with it."""

    async def told(self, turn: int, question: str, sequence: int) -> tuple[str, ...]:
        """Note the question that the turn delegated, if any; returns the RESULT lines that the model was told in it.
        `sequence` is the turn's number in the session."""


class InText:
    """Results are lines of the user's text."""

    def __init__(self, script: Script) -> None:
        self._background = Background(script.results)
        self._lines: dict[int, tuple[str, ...]] = {}

    async def bring(self, turn: int) -> tuple[str, ...]:
        self._lines[turn] = self._background.due(turn)
        return self._lines[turn]

    async def told(self, turn: int, question: str, sequence: int) -> tuple[str, ...]:
        self._background.take(turn, question)
        return self._lines.get(turn, ())


class FromBrain:
    """Results come from the brain service. The stand-in holds each answer until it is due; in which turn the model is
    told of it is read from that turn's prompt."""

    def __init__(
        self, gateway: GatewayClient, stand_in: StandIn, answered: list[str], script: Script, session: str
    ) -> None:
        self._gateway, self._stand_in, self._session = gateway, stand_in, session
        self._answered = answered
        self._background = Background(script.results)
        self._results = {result.line.text: result for result in script.results}
        self._ready: list[str] = []

    async def bring(self, turn: int) -> tuple[str, ...]:
        for line in self._background.due(turn):
            result = self._results[line]
            self._stand_in.release(result)
            if await self._is_ready(answer_of(result)):
                self._ready.append(line)
        return ()

    async def told(self, turn: int, question: str, sequence: int) -> tuple[str, ...]:
        self._background.take(turn, question)
        if not self._ready:
            return ()
        shown = await self._gateway.newest_lines(self._session, sequence)
        told = tuple(line for line in self._ready if line in shown)
        self._ready = [line for line in self._ready if line not in told]
        return told

    async def _is_ready(self, answer: str) -> bool:
        """Wait, for a while, until the answer is with the session; whether it is."""
        for _ in range(round(READY_WITHIN_S / LOOK_S)):
            if answer in self._answered:
                return True
            await asyncio.sleep(LOOK_S)
        return False


@asynccontextmanager
async def knowing(stand_in: StandIn | None, script: Script, nats_url: str, tenant: str) -> AsyncIterator[list[str]]:
    """The stand-in, if there is one, knows the answers of the script while the block runs, once it is its turn. The
    list has the answers that brains gave since then."""
    answered: list[str] = []
    if stand_in is None or not script.results:
        yield answered
        return

    async def listen(payloads: AsyncIterator[bytes]) -> None:
        async for payload in payloads:
            event = json.loads(payload)
            answered.append(str(event["data"]["text"]))

    subject = f"vigil.v1.delegation.ready.{tenant}.*"
    async with stand_in.knowing(script.results), subscribed(nats_url, subject) as payloads:
        task = asyncio.create_task(listen(payloads))
        try:
            yield answered
        finally:
            task.cancel()


def results_of(
    gateway: GatewayClient, stand_in: StandIn | None, answered: list[str], script: Script, session: str
) -> Results:
    """The results of one session. Without a `stand_in` they come in text."""
    if stand_in is None or not script.results:
        return InText(script)
    return FromBrain(gateway, stand_in, answered, script, session)
