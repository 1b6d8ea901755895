"""A message that another agent sends: the beginning of a task, or the answer to what a task still misses."""

import contextlib
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

from a2a.types.a2a_pb2 import Message
from a2a.utils.errors import InvalidParamsError

from vigil.runtime.errors import AgentTasksFull, PortError
from vigil.runtime.process.cancellation import while_wanted
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.agent_tasks import MAX_MESSAGES, AgentMessage, AgentTask
from vigil_gateway import metrics
from vigil_gateway.agent.a2a.errors import refused
from vigil_gateway.agent.a2a.messages import data_of, newest_text, text_of
from vigil_gateway.agent.a2a.state import state_of
from vigil_gateway.agent.a2a.watching import Missing, begin, end
from vigil_gateway.audit.noted import note_session
from vigil_gateway.ports import Ports

log = get_log()

# How many of the oldest tasks are looked at when there is room for no other: those that are over make room.
LOOKED_AT = 50


async def take_message(ports: Ports, tenant: str, message: Message, before: AgentTask | None) -> AgentTask:
    """The task as it is after this message: new, or `before` with what it missed. Raises an `A2AError`, and what
    opening a session raises."""
    text, data = text_of(message), data_of(message)
    task = _new(tenant, message) if before is None else before
    if before is not None:
        await _check_open(ports, before, message)
    said = AgentMessage(message.message_id, text)
    now_us = time.time_ns() // 1_000
    task = replace(task, messages=(*task.messages, said)[-MAX_MESSAGES:], changed_us=now_us)
    return await while_wanted(_watched(ports, task, before, data), lambda stored: _undone(ports, stored))


async def _watched(ports: Ports, task: AgentTask, before: AgentTask | None, data: dict[str, Any] | None) -> AgentTask:
    """The task with its watch where the agent has said enough, else with what is missing; stored."""
    try:
        found = await begin(ports, task.tenant, newest_text(task.messages), data)
    except Missing as missing:
        task = replace(task, missing=str(missing))
    else:
        task = replace(
            task, missing="", session=found.session, watch=found.watch, source=found.source, is_own=found.is_own
        )
        note_session(task.session)
    try:
        await _put(ports, task, before)
    except PortError:
        if task.session:
            await _undone(ports, task)
        raise
    return task


async def _put(ports: Ports, task: AgentTask, before: AgentTask | None) -> None:
    try:
        await ports.agent_tasks.put(task, before)
    except AgentTasksFull:
        if not await _make_room(ports, task.tenant):
            metrics.AGENT_TASKS.labels("refused").inc()
            raise
        await ports.agent_tasks.put(task, before)
    if before is None:
        metrics.AGENT_TASKS.labels("begun").inc()
        log.info("agent task started", task=task.id, session=task.session)


async def _make_room(ports: Ports, tenant: str) -> bool:
    """Drop the oldest tasks that are over or that nobody has answered; whether there were any."""
    oldest = (await ports.agent_tasks.all(tenant))[-LOOKED_AT:]
    needless = [task for task in oldest if task.missing or (await state_of(ports, task)).is_over]
    for task in needless:
        await ports.agent_tasks.drop(task)
    metrics.AGENT_TASKS.labels("dropped").inc(len(needless))
    return bool(needless)


async def _undone(ports: Ports, task: AgentTask) -> None:
    """End the watch of a task that nobody knows of."""
    if task.session:
        with contextlib.suppress(PortError):
            await end(ports, task)


async def _check_open(ports: Ports, task: AgentTask, message: Message) -> None:
    """Return when the task waits for a message, and this one is of its context."""
    if message.context_id not in ("", task.context):
        raise refused(
            "the task is of another context", "Leave `contextId` out, or give the task's own.", InvalidParamsError
        )
    if (await state_of(ports, task)).is_over:
        raise refused("the task is over", "Send the message without `taskId`: it begins another task.")
    if not task.missing:
        raise refused(
            "the task watches already",
            "Cancel it, or begin another by a message without `taskId`; ask about a picture by MCP or REST.",
        )


def _new(tenant: str, message: Message) -> AgentTask:
    now_us = time.time_ns() // 1_000
    context = message.context_id or str(uuid4())
    return AgentTask(tenant, str(uuid4()), context, now_us, now_us, messages=())
