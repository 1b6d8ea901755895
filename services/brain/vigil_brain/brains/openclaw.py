"""The kind `openclaw`: an OpenClaw gateway.

OpenClaw asks nobody over HTTP before it acts, and its sandbox is off unless its operator turned it on. So the whole run
is one side effect: an operator is asked before it begins, unless the brains file says that this OpenClaw is confined.

With `api` `responses` the answer comes back as text (`/v1/responses`). With `hook` a task is handed over
(`/hooks/agent`): that door tells how the run ended, and never what was said in it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import msgspec

from vigil_brain.brains.answer_text import without_thoughts
from vigil_brain.brains.bounded import BoundedText, Flooded
from vigil_brain.brains.http_client import HttpClient, http_session, in_time, json_object, shortened
from vigil_brain.brains.port import Action, Answer, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.prompt import system_text, user_text
from vigil_brain.brains.remote_id import remote_id
from vigil_brain.brains.spec import BrainSpec


class OpenClawSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. `url` is the gateway's root, `http://127.0.0.1:18789` by default there; `agent`
    is the id of the agent. The key is the gateway's token for `responses`, the token of the hooks for `hook`.
    `is_confined` says that its agent cannot change anything, so that no run needs an approval."""

    url: str
    agent: str = "main"
    api: Literal["responses", "hook"] = "responses"
    is_confined: bool = False


class OpenClawBrain:
    """Runs the agent for one turn."""

    def __init__(self, client: HttpClient, settings: OpenClawSettings, timeout_s: float) -> None:
        self._client = client
        self._settings = settings
        self._timeout_s = timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._timeout_s, task.deadline_s)):
            await self._approved(task, told)
            return await (self._asked(task) if self._settings.api == "responses" else self._handed_over(task))

    async def _approved(self, task: BrainTask, told: Told) -> None:
        if self._settings.is_confined:
            return
        arguments = {"agent": self._settings.agent, "question": task.question}
        summary = f"OpenClaw works on: {shortened(task.question)}"
        if not await told.approve(Action("openclaw_run", arguments, summary)):
            raise BrainError("no operator allowed OpenClaw to work on this")

    async def _asked(self, task: BrainTask) -> Answer:
        """The text of the agent's turn. Closing the connection is all that tells the gateway to stop."""
        agent = self._settings.agent
        body = {
            "model": f"openclaw/{agent}",
            "instructions": system_text(task),
            "input": user_text(task),
            "stream": True,
            "user": f"vigil-{task.id}",
        }
        text, is_finished = BoundedText(), False
        async with self._client.response("POST", "/v1/responses", body, {"x-openclaw-agent-id": agent}) as response:
            try:
                async for event in self._client.events(response):
                    if event.data.strip() == "[DONE]":
                        break
                    is_finished = _take(text, json_object(event.data)) or is_finished
                    if text.was_cut:
                        break
            except Flooded:
                text.cut()
        if not is_finished and not text.was_cut:
            raise BrainError("the brain broke off in the middle of its answer", is_transient=True)
        found = without_thoughts(text.text)
        if not found:
            raise BrainError("the agent answered nothing")
        return Answer(found, was_cut=text.was_cut)

    async def _handed_over(self, task: BrainTask) -> Answer:
        body = {
            "message": f"{system_text(task)}\n\n{user_text(task)}",
            "name": "Vigil",
            "agentId": self._settings.agent,
            "deliver": False,
        }
        headers = {"Idempotency-Key": f"vigil-{task.id}"}
        taken = await self._client.json("POST", "/hooks/agent", body, headers)
        if taken.get("ok") is not True:
            raise BrainError(f"OpenClaw did not take the task ({shortened(taken.get('error') or 'no reason given')})")
        return Answer(f"OpenClaw has taken the task (run {remote_id(taken.get('runId'))}).")


@asynccontextmanager
async def open_openclaw(settings: OpenClawSettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """The gateway at `settings.url`."""
    async with http_session(spec.trusted) as http:
        yield OpenClawBrain(HttpClient(http, settings.url, spec.key), settings, spec.timeout_s)


def _take(text: BoundedText, event: dict[str, Any]) -> bool:
    """Add one event of the stream; True when the turn is over."""
    match event.get("type"):
        case "response.output_text.delta":
            text.append(str(event.get("delta", "")))
        case "response.completed":
            return True
        case "response.failed" | "error":
            response = event.get("response")
            error = response.get("error") if isinstance(response, dict) else event.get("error")
            said = error.get("message") if isinstance(error, dict) else error
            raise BrainError(f"the agent's turn failed ({shortened(said or 'no reason given')})", is_transient=True)
    return False
