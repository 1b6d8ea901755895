"""The system as a player, as fast as it can: every second is one call at the OpenAI-compatible door, whose model time
is the script's and not the wall clock's. Gateway, codec, interaction and engine are the ones that serve cameras.

What stands from the first turn on comes with the session's first call, later instructions and clearings through REST,
questions and results in the text of the turn's call. For vigil-small every one of them is a plain line of the user
turn, so the prompt is byte for byte what training shows; within one turn instructions come before questions. The
memory line is the first instruction of all. In the scenarios of alerting and of modules instructions are watches, and
the alerts that they raise are heard on NATS as any downstream system hears them. What a module tells is sent before the
turn's call, and the turn's prompt has to have it.

Delegated questions go to the system's brain service, which asks the exam's stand-in; its results come to the model as
any brain's do.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from vigil_client.alerts import alert_subject, subscribed
from vigil_client.cloudevents import alert
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.pictures import Album
from vigil_recipe.exam.players.results import Results, knowing, results_of
from vigil_recipe.exam.players.stand_in import StandIn
from vigil_recipe.exam.scoring.dues import lines_of
from vigil_recipe.exam.scoring.transcript import AlertSeen, Heard, PlayFailed, Transcript
from vigil_recipe.scenarios import Said, Scenario, Script
from vigil_recipe.text.dialogue import STOP

CLOSED_WITHIN_S = 5.0
WATCH = {"hold_s": 2.0, "cooldown_s": 0.0}
WATCHED = (Scenario.ALERTING, Scenario.MODULES)  # whose instructions are watches


@dataclass(frozen=True, slots=True)
class Bus:
    """Where the alerts are published."""

    nats_url: str
    tenant: str


@dataclass(frozen=True, slots=True)
class AcceleratedSystem:
    """The running system, faster than real time."""

    gateway: GatewayClient
    bus: Bus
    stand_in: StandIn | None = None
    name: str = "system"

    async def play(self, script: Script) -> Transcript:
        """One session from its first call to its end."""
        session = f"exam-{secrets.token_hex(8)}"
        known = knowing(self.stand_in, script, self.bus.nats_url, self.bus.tenant)
        async with known as answered, self._alerts(session, script) as alerts:
            results = results_of(self.gateway, self.stand_in, answered, script, session)
            try:
                turns = await self._turns(script, session, results)
            finally:
                await asyncio.shield(self.gateway.end(session))
            await all_closed(alerts)
        return Transcript(turns, tuple(alerts))

    async def _turns(self, script: Script, session: str, results: Results) -> tuple[Heard, ...]:
        album, turns = Album(script), []
        began = script.turns[0].second
        for index, turn in enumerate(script.turns):
            brought = await results.bring(index)
            extra = opening(script) if index == 0 else {}
            if index:
                await self.tell(script, session, index)
            asked = (*lines_of(script, index, Said.QUESTION), *brought)
            jpeg = await album.camera(index)
            await observe(self.gateway, script, session, index)
            answer = await self.gateway.turn(session, jpeg, float(turn.second - began), "\n".join(asked), extra)
            await self._check_told(script, session, index)
            turns.append(replace(answer, results=await results.told(index, answer.output.question, index)))
        return tuple(turns)

    async def tell(self, script: Script, session: str, index: int) -> None:
        """What a later turn newly instructs or clears, in its order."""
        await tell(self.gateway, script, session, index)

    async def _check_told(self, script: Script, session: str, index: int) -> None:
        """Raises `PlayFailed` when a turn did not show what a module told before it: the script was not played then."""
        due = lines_of(script, index, Said.OBSERVATION)
        shown = await self.gateway.newest_lines(session, index) if due else ()
        if missing := [line for line in due if line not in shown]:
            raise PlayFailed(f"turn {index} of {session} does not show what a module told before it: {missing[0]}")

    @asynccontextmanager
    async def _alerts(self, session: str, script: Script) -> AsyncIterator[list[AlertSeen]]:
        """The session's alerts as they arrive; for scripts that raise none there is nobody listening."""
        if script.scenario not in WATCHED:
            yield []
            return
        async with listening(self.bus, session) as heard:
            yield heard


def opening(script: Script) -> dict[str, Any]:
    """What a session of the script begins with: memory, watches, instructions."""
    given = lines_of(script, 0, Said.INSTRUCTION)
    memory = [script.memory] if script.memory else []
    if script.scenario in WATCHED:
        return {"instructions": memory, "watches": [watch_of(text) for text in given]}
    return {"instructions": [*memory, *given], "watches": []}


def watch_of(text: str) -> dict[str, Any]:
    """A watch that is told at once when its condition is over, and is named by the gateway after its words."""
    return {"text": text, **WATCH}


async def tell(gateway: GatewayClient, script: Script, session: str, index: int) -> None:
    """Send what a turn newly instructs or clears. A clearing of something that does not stand is sent as a plain line.

    The watches that are left are not sent: the system itself names them again to its model.
    """
    for line in script.turns[index].lines:
        if line.said is Said.INSTRUCTION and script.scenario in WATCHED:
            await gateway.watch(session, watch_of(line.text))
        elif line.said is Said.INSTRUCTION:
            await gateway.instruct(session, line.text)
        elif line.said is Said.CLEARING:
            found = (await gateway.standing(session)).get(line.text.removeprefix(STOP))
            await (gateway.clear(session, *found) if found else gateway.ask(session, line.text))


async def observe(gateway: GatewayClient, script: Script, session: str, index: int) -> None:
    """Send what modules tell in a turn, in its order."""
    for observed in script.observations:
        if observed.turn == index:
            await gateway.observe(session, observed)


@asynccontextmanager
async def listening(bus: Bus, source: str) -> AsyncIterator[list[AlertSeen]]:
    """The alerts of one source, in a list that grows while the block runs."""
    heard: list[AlertSeen] = []

    async def listen(payloads: AsyncIterator[bytes]) -> None:
        async for payload in payloads:
            event = alert(payload)
            heard.append(AlertSeen(event.state, event.watch, event.text, event.time_s))

    async with subscribed(bus.nats_url, alert_subject(bus.tenant, source)) as payloads:
        task = asyncio.create_task(listen(payloads))
        try:
            yield heard
        finally:
            task.cancel()


async def all_closed(alerts: list[AlertSeen]) -> None:
    """Wait, for a short while, until every alert that opened has closed: the last ones close with their session."""
    for _ in range(round(CLOSED_WITHIN_S / 0.05)):
        states = [seen.state for seen in alerts]
        if states.count("opened") == states.count("closed"):
            return
        await asyncio.sleep(0.05)
