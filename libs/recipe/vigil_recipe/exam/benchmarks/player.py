"""Public benchmark videos through the running system in real time, as a camera would be watched."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass

from vigil.core.control import parse
from vigil_client.api import Client
from vigil_client.errors import ClientError
from vigil_client.events import Decision, Lifecycle
from vigil_recipe.data.video import VideoError, duration_s
from vigil_recipe.exam.benchmarks.cases import BenchmarkCase
from vigil_recipe.exam.benchmarks.scores import Spoken
from vigil_recipe.exam.players.gateway import GatewayClient
from vigil_recipe.exam.scoring.transcript import PlayFailed

SPARE_S = 60.0


@dataclass(frozen=True, slots=True)
class BenchmarkPlayer:
    """Sends a case's instruction or question at its time of the video, and watches until nothing more is scored."""

    gateway: GatewayClient
    client: Client

    async def play(self, case: BenchmarkCase) -> tuple[Spoken, ...]:
        """What was said, and when; to a question, what was said from the turn on that showed it.

        A moment at the very end of a video is moved to its last second. Raises `PlayFailed`, also when the video ended
        before anything could be said to the model.
        """
        source = {"url": case.video.resolve().as_uri(), "id": f"bench-{secrets.token_hex(8)}"}
        at_once = [case.instruction] if case.ask_s < 1 and not case.task.is_choice else []
        say_at_s = min(case.ask_s, await _length_s(case) - 1)
        if not case.task.is_choice:
            say_at_s -= 1  # an instruction is shown with the turn after it was said, a question at once
        answer = await self.gateway.call("POST", "/v1/sessions", {"source": source, "instructions": at_once})
        session = str(answer["id"])
        try:
            said = await self._watch(case, session, say_at_s, told=bool(at_once))
            told = bool(at_once) or any(utterance.time_s >= say_at_s for utterance in said.values())
            shown_s = None
            for turn in await self.gateway.history(session):  # what was decided before the events could be heard
                said[int(turn["sequence"])] = Spoken(float(turn["time_s"]), parse(str(turn["reply"])).text)
                if case.task.is_choice and shown_s is None and case.instruction in turn["queries"]:
                    shown_s = float(turn["time_s"])
        finally:
            await asyncio.shield(self.gateway.end(session))
        if not told or (case.task.is_choice and shown_s is None):
            raise PlayFailed(f"{case.record}: {case.video.name} ended before {case.ask_s:g} s, nothing could be said")
        spoken = [said[sequence] for sequence in sorted(said) if said[sequence].text]
        return tuple(utterance for utterance in spoken if utterance.time_s >= (shown_s or 0.0))

    async def _watch(self, case: BenchmarkCase, session: str, say_at_s: float, *, told: bool) -> dict[int, Spoken]:
        said: dict[int, Spoken] = {}
        say = self.gateway.ask if case.task.is_choice else self.gateway.instruct
        try:
            async with asyncio.timeout(case.end_s + SPARE_S):
                async for event in self.client.events(session):
                    if isinstance(event, Lifecycle) and event.ended:
                        break
                    if not isinstance(event, Decision):
                        continue
                    said[event.sequence] = Spoken(event.time_s, event.text)
                    if not told and event.time_s >= say_at_s:
                        await say(session, case.instruction)
                        told = True
                    if event.time_s >= case.end_s:
                        break
        except TimeoutError:
            raise PlayFailed(f"{case.record}: {case.video.name} was not played to {case.end_s:g} s in time") from None
        except ClientError as error:
            raise PlayFailed(f"{case.record}: {error.message}") from None
        return said


async def _length_s(case: BenchmarkCase) -> float:
    try:
        return await asyncio.to_thread(duration_s, case.video)
    except VideoError as error:
        raise PlayFailed(f"{case.record}: {error}") from None
