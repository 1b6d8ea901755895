"""The system as a player in real time: the episode is a video file, the session's camera plays it second by second.

Lines that stand are sent when the model time of the last decision is the second before theirs, and so reach the model
in their own turn or, when the system is late, in a later one: the lateness is the system's and is scored. Questions are
asked in their own second: they wait for no second, but open a turn of their own at once. What stands from the first
turn on is given with the session. Decisions come as the session's live events and, at the end, its history.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vigil.core.control import SILENCE
from vigil.core.probability import Probabilities
from vigil_client.api import Client
from vigil_client.errors import ClientError
from vigil_client.events import Decision, Lifecycle
from vigil_recipe.exam.players.accelerated import Bus, all_closed, listening, observe, opening, tell
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.players.results import Results, knowing, results_of
from vigil_recipe.exam.players.stand_in import StandIn
from vigil_recipe.exam.scoring.dues import lines_of
from vigil_recipe.exam.scoring.transcript import Heard, PlayFailed, Transcript
from vigil_recipe.render.camera import render_mp4
from vigil_recipe.scenarios import Said, Script

SPARE_S = 60.0


@dataclass(frozen=True, slots=True)
class RealTimeSystem:
    """The running system with a camera that plays each episode at its own speed. Videos are kept in ``videos``."""

    gateway: GatewayClient
    client: Client
    bus: Bus
    videos: Path
    stand_in: StandIn | None = None
    name: str = "system"

    async def play(self, script: Script) -> Transcript:
        """One session from the video's first second to its last."""
        source = f"exam-{secrets.token_hex(8)}"
        path = self.videos / f"{source}.mp4"
        await asyncio.to_thread(render_mp4, script.episode, path)
        known = knowing(self.stand_in, script, self.bus.nats_url, self.bus.tenant)
        async with known as answered, listening(self.bus, source) as alerts:
            body = {"source": {"url": path.resolve().as_uri(), "id": source}, **opening(script)}
            body["instructions"] += lines_of(script, 0, Said.QUESTION)  # the same line, and no turn comes before it
            session = str((await self.gateway.call("POST", "/v1/sessions", body))["id"])
            try:
                results = results_of(self.gateway, self.stand_in, answered, script, session)
                seen = await self._follow(script, session, results)
                history = await self.gateway.history(session)
            finally:
                await asyncio.shield(self.gateway.end(session))
                path.unlink(missing_ok=True)
            await all_closed(alerts)
        return Transcript(aligned(script, history, seen.decisions, seen.results), tuple(alerts))

    async def _follow(self, script: Script, session: str, results: Results) -> _Seen:
        """Send each turn's lines in time and keep the decisions, until the video has ended."""
        seen = _Seen(self.gateway, script, session, results)
        try:
            async with asyncio.timeout(script.turns[-1].second + SPARE_S):
                async for event in self.client.events(session):
                    if isinstance(event, Lifecycle) and event.ended:
                        return seen
                    if isinstance(event, Decision) and await seen.take(event):
                        return seen
        except TimeoutError:
            raise PlayFailed(f"session {session} did not come to its last second in time") from None
        except ClientError as error:
            raise PlayFailed(error.message) from None
        return seen


class _Seen:
    """What was decided so far, and which turns' lines have been sent."""

    def __init__(self, gateway: GatewayClient, script: Script, session: str, results: Results) -> None:
        self._gateway, self._script, self._session = gateway, script, session
        self._results = results
        self._sent = self._asked = 0
        self.decisions: list[Decision] = []
        self.results: dict[int, tuple[str, ...]] = {}
        self._brought: dict[int, tuple[str, ...]] = {}

    async def take(self, decision: Decision) -> bool:
        """Note a decision and send the lines of the turn after it. True when it was the script's last."""
        self.decisions.append(decision)
        turn = turn_at(self._script, decision.time_s)
        question = await self._question(decision) if decision.action == "delegate" else ""
        if told := await self._results.told(turn, question, decision.sequence):
            self.results[turn] = told
        last = len(self._script.turns) - 1
        for index in range(self._sent + 1, min(turn + 1, last) + 1):
            await tell(self._gateway, self._script, self._session, index)
            await observe(self._gateway, self._script, self._session, index)
            if brought := await self._results.bring(index):
                self.results[index] = self._brought[index] = brought
        self._sent = max(self._sent, turn + 1)
        return not await self._ask(turn) and turn >= last

    async def _ask(self, turn: int) -> bool:
        """Ask what is to be asked up to that turn; whether there was something, and so a turn that shows it comes."""
        has_asked = False
        for index in range(self._asked + 1, turn + 1):
            for text in (*lines_of(self._script, index, Said.QUESTION), *self._brought.get(index, ())):
                await self._gateway.ask(self._session, text)
                has_asked = True
        self._asked = max(self._asked, turn)
        return has_asked

    async def _question(self, decision: Decision) -> str:
        turns = await self._gateway.history(self._session)
        return next((str(turn["question"]) for turn in turns if turn["sequence"] == decision.sequence), "")


def turn_at(script: Script, time_s: float) -> int:
    """The turn that shows the episode at ``time_s``; the nearest one outside of the script."""
    seconds = [turn.second for turn in script.turns]
    return min(range(len(seconds)), key=lambda index: abs(seconds[index] - int(time_s + 0.5)))


def aligned(
    script: Script,
    history: Sequence[Mapping[str, Any]],
    decisions: Sequence[Decision],
    results: Mapping[int, tuple[str, ...]],
) -> tuple[Heard, ...]:
    """One turn for each of the script's: the history's turn of that second, of several the last one that says
    something; silence where the system skipped it."""
    by_sequence = {decision.sequence: decision for decision in decisions}
    first, last = script.turns[0].second, script.turns[-1].second
    found: dict[int, Heard] = {}
    for note in history:
        time_s = float(note["time_s"])
        if not first - 0.5 <= time_s < last + 0.5:
            continue
        event = by_sequence.get(int(note["sequence"]))
        turn = turn_at(script, time_s)
        heard = Heard(time_s, str(note["reply"]), _p(event), event.latency_ms if event else 0.0, results.get(turn, ()))
        if turn not in found or heard.reply != SILENCE:
            found[turn] = heard
    return tuple(
        found.get(index, Heard(float(turn.second), SILENCE, results=results.get(index, ())))
        for index, turn in enumerate(script.turns)
    )


def _p(event: Decision | None) -> Probabilities | None:
    if event is None or event.p is None:
        return None
    return Probabilities(event.p["silent"], event.p["speak"], event.p["delegate"])
