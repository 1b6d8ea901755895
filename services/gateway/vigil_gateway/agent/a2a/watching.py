"""The watch that a task is: begun as its agent asks, ended when the agent cancels the task."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from vigil.core.command import Clear, Instruct
from vigil.core.errors import CoreError
from vigil.core.ids import SessionKey
from vigil.runtime.errors import PortError, SessionEnded, UnknownSession
from vigil.runtime.session.inbox import submit
from vigil.runtime.store.agent_tasks import AgentTask
from vigil_gateway.agent.a2a.messages import EXAMPLE, WatchAsked
from vigil_gateway.api.errors import GatewayError
from vigil_gateway.api.models.sessions import SessionIn
from vigil_gateway.api.models.standing import WatchIn
from vigil_gateway.api.problems import problem_of
from vigil_gateway.ports import Ports, session_key
from vigil_gateway.rpc.status import message_of
from vigil_gateway.sessions.commands import add_standing, new_id
from vigil_gateway.sessions.lifecycle import end_for_client
from vigil_gateway.sessions.opening import open_while_wanted
from vigil_gateway.sessions.spec import watch_of

# What the agent can put right by another message of the same task. All else is an error of the request.
_TO_CORRECT = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True, slots=True)
class Watching:
    """A watch that stands: in which session, on which source, and whether the session was opened for it."""

    session: str
    watch: str
    source: str
    is_own: bool


class Missing(Exception):
    """The agent must say more, or something else, before Vigil can watch; the message says what."""


async def begin(ports: Ports, tenant: str, text: str, data: dict[str, Any] | None) -> Watching:
    """Watch for `text` where `data` says. Raises `Missing`, and what opening a session raises."""
    if data is None:
        raise Missing(f"Which camera? Send a data part: {EXAMPLE}")
    try:
        asked = WatchAsked.model_validate(data)
        watch = WatchIn(text=asked.text or text, name=asked.name, severity=asked.severity)
        return await _begin(ports, tenant, asked, watch)
    except (ValidationError, CoreError, GatewayError, PortError) as error:
        problem = problem_of(error)
        if problem.row.status not in _TO_CORRECT:
            raise
        raise Missing(message_of(problem)) from error


async def end(ports: Ports, task: AgentTask) -> None:
    """End the watch, or the session that was opened for it. What has ended already stays so."""
    key = SessionKey(task.tenant, task.session)
    try:
        if task.is_own:
            await end_for_client(ports, key)
        else:
            await submit(ports, key, Clear(task.watch))
    except (UnknownSession, SessionEnded):
        return


async def _begin(ports: Ports, tenant: str, asked: WatchAsked, watch: WatchIn) -> Watching:
    new = watch_of(new_id("w"), watch)
    if asked.session is not None:
        key = await session_key(ports, tenant, asked.session)
        spec = await ports.store.spec(key)
        await add_standing(ports, key, new)
        return Watching(key.session, new.id, spec.source.id, is_own=False)
    spec = await open_while_wanted(ports, tenant, SessionIn.model_validate({"source": asked.source}), (Instruct(new),))
    return Watching(spec.session, new.id, spec.source.id, is_own=True)
