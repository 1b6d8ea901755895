"""Delegated questions over REST: listed, shown, cancelled, and the files that brains made of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from vigil_client.transport import Transport
from vigil_client.values import read


@dataclass(frozen=True, slots=True)
class Artefact:
    """A file that a brain made beside its words. `size` is in bytes, `path` where it is on the gateway."""

    index: int
    name: str
    media_type: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class Task:
    """A delegated question, and how far the work on it is: `state` is queued, running, waiting_approval, ready, error
    or cancelled.

    `note` is what the model said when it delegated the question in the turn `sequence`, at the model time `time_s`.
    `text` is what the brain does at the moment, the digest of its answer, or why there is none. `opened_at` is None
    while no brain has seen the task.
    """

    id: str
    session: str
    question: str
    note: str
    state: str
    brain: str
    text: str
    artefacts: tuple[Artefact, ...]
    sequence: int
    time_s: float
    opened_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None


class Tasks:
    """The delegated questions of a tenant's sessions. Every call raises what the client's own calls raise."""

    def __init__(self, gateway: Transport) -> None:
        self._gateway = gateway

    async def __call__(self, session_id: str) -> tuple[Task, ...]:
        """The session's delegated questions, oldest first."""
        answer = await self._gateway.call("GET", _path(session_id))
        return tuple(read(Task, task) for task in read(list[Any], answer.get("tasks")))

    async def show(self, session_id: str, task_id: str) -> Task:
        """One delegated question. `NotFound` when the session has none of that id."""
        return read(Task, await self._gateway.call("GET", _path(session_id, task_id)))

    async def cancel(self, session_id: str, task_id: str) -> None:
        """Let its brain stop, and the model know that no answer comes. One that has ended stays as it is."""
        await self._gateway.call("DELETE", _path(session_id, task_id))

    async def artefact(self, session_id: str, task_id: str, index: int) -> bytes:
        """A file that the brain made. It is the brain's: look at its `media_type`, and run nothing of it. `NotFound`
        when it is not kept any more."""
        path = f"{_path(session_id, task_id)}/artefacts/{index}"
        async with self._gateway.request("GET", path) as response:
            return await response.read()


def _path(session_id: str, task_id: str = "") -> str:
    """The path of a session's tasks, or of one; an id that a person mistyped must not become another path."""
    tasks = f"/v1/sessions/{quote(session_id, safe='')}/tasks"
    return f"{tasks}/{quote(task_id, safe='')}" if task_id else tasks
