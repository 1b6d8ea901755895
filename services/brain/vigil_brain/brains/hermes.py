"""The kind `hermes`: a Hermes Agent behind its own API (`/v1/runs`).

Its events are followed, what it wants to do is put before an operator, and its run is stopped when the task is
cancelled. When the events are lost the run goes on there: its state is asked for until it ends.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from vigil_brain.brains.answer_text import without_thoughts
from vigil_brain.brains.bounded import BoundedText, Flooded
from vigil_brain.brains.http_client import (
    HttpClient,
    cancelled_remotely,
    http_session,
    in_time,
    json_object,
    shortened,
)
from vigil_brain.brains.port import Action, Answer, Brain, BrainError, BrainTask, Told
from vigil_brain.brains.prompt import system_text, user_text
from vigil_brain.brains.remote_id import remote_id
from vigil_brain.brains.spec import BrainSpec

POLL_S = 1.0
MAX_LOST_POLLS = 5
_ENDED = frozenset({"completed", "failed", "cancelled", "interrupted"})


class HermesSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its settings in the brains file. `url` is the server's root, `http://127.0.0.1:8642` by default there. Pictures
    are not sent: the agent's runs take text. Without a `model` the agent uses its own. What needs an approval is
    decided by Hermes: it asks for commands that it takes for dangerous, and for nothing else."""

    url: str
    model: str = ""


class HermesBrain:
    """Starts a run, and follows it."""

    def __init__(self, client: HttpClient, settings: HermesSettings, timeout_s: float) -> None:
        self._client = client
        self._settings = settings
        self._timeout_s = timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._timeout_s, task.deadline_s)):
            run = await self._client.json("POST", "/v1/runs", self._body(task))
            path = f"/v1/runs/{remote_id(run.get('run_id'))}"
            async with cancelled_remotely(lambda: self._client.json("POST", f"{path}/stop", {})):
                text = BoundedText()
                end = await self._followed(path, text, told) or await self._polled(path)
        return _answer(end, text)

    async def _followed(self, path: str, text: BoundedText, told: Told) -> Mapping[str, Any] | None:
        """The event that ended the run; None when the events were lost before."""
        try:
            async with self._client.response("GET", f"{path}/events") as response:
                async for event in self._client.events(response):
                    message = json_object(event.data)
                    if (end := await self._take(path, message, text, told)) is not None:
                        return end
                    if text.was_cut:
                        raise Flooded
        except Flooded:
            text.cut()
            await self._client.json("POST", f"{path}/stop", {})
            return {"event": "run.completed", "output": ""}
        except BrainError as error:
            if not error.is_transient:
                raise
        return None

    async def _take(
        self, path: str, message: Mapping[str, Any], text: BoundedText, told: Told
    ) -> Mapping[str, Any] | None:
        match message.get("event"):
            case "message.delta":
                text.append(str(message.get("delta", "")))
            case "tool.started":
                await told.progress(f"uses {shortened(message.get('tool', 'a tool'))}")
            case "approval.request":
                granted = await told.approve(_action(message))
                choice = {"choice": "once" if granted else "deny"}
                for name in ("request_id", "approval_id"):
                    if name in message:
                        choice[name] = message[name]
                await self._client.json("POST", f"{path}/approval", choice)
            case "run.completed" | "run.failed" | "run.cancelled":
                return message
        return None

    async def _polled(self, path: str) -> Mapping[str, Any]:
        """Ask for the state of the run until it has ended. A run that waits for an approval now is stopped: what it
        asks for came with the events that were lost."""
        lost = 0
        while True:
            try:
                run = await self._client.json("GET", path)
                lost = 0
            except BrainError as error:
                lost += 1
                if not error.is_transient or lost > MAX_LOST_POLLS:
                    raise
                run = {}
            if run.get("status") in _ENDED:
                return {**run, "event": f"run.{run['status']}"}
            if run.get("status") == "waiting_for_approval":
                raise BrainError("the agent waits for an approval, and its events were lost", is_transient=True)
            await asyncio.sleep(POLL_S)

    def _body(self, task: BrainTask) -> dict[str, Any]:
        body = {"input": user_text(task), "instructions": system_text(task), "session_id": f"vigil-{task.id}"}
        return body | ({"model": self._settings.model} if self._settings.model else {})


@asynccontextmanager
async def open_hermes(settings: HermesSettings, spec: BrainSpec) -> AsyncIterator[Brain]:
    """The agent at `settings.url`."""
    async with http_session(spec.trusted) as http:
        yield HermesBrain(HttpClient(http, settings.url, spec.key), settings, spec.timeout_s)


def _action(message: Mapping[str, Any]) -> Action:
    tool = shortened(message.get("tool") or "terminal")
    arguments = {name: message[name] for name in ("command", "description") if isinstance(message.get(name), str)}
    summary = ": ".join(arguments[name] for name in ("description", "command") if name in arguments)
    return Action(f"hermes_{tool}", arguments, shortened(summary or "the agent asks for an approval"))


def _answer(end: Mapping[str, Any], text: BoundedText) -> Answer:
    if end.get("event") != "run.completed":
        state = str(end.get("event", "")).removeprefix("run.")
        said = shortened(end.get("error") or "")
        raise BrainError(f"the agent's run is {shortened(state)}" + (f" ({said})" if said else ""))
    output = end.get("output")
    if isinstance(output, str) and output.strip():
        whole = BoundedText()
        whole.append(output)
        text = whole
    found = without_thoughts(text.text)
    if not found:
        raise BrainError("the agent ended its run without an answer")
    return Answer(found, was_cut=text.was_cut)
