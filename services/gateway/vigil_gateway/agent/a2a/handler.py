"""What A2A asks of an agent, done by Vigil: a task is a watch on a camera, its artifacts are the alerts."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

from a2a.server.context import ServerCallContext
from a2a.server.request_handlers.request_handler import RequestHandler, validate_request_params
from a2a.types.a2a_pb2 import (
    AgentCard,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTaskPushNotificationConfigsResponse,
    ListTasksRequest,
    ListTasksResponse,
    Message,
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
    TaskArtifactUpdateEvent,
    TaskPushNotificationConfig,
)
from a2a.utils.errors import (
    InvalidParamsError,
    PushNotificationNotSupportedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from vigil.contract.api_keys import ApiKey
from vigil.runtime.store.agent_tasks import AgentTask
from vigil_gateway import metrics
from vigil_gateway.agent.a2a.alerts import alerts_of
from vigil_gateway.agent.a2a.errors import as_a2a, refused
from vigil_gateway.agent.a2a.listing import listed
from vigil_gateway.agent.a2a.shown import task_shown
from vigil_gateway.agent.a2a.state import state_of
from vigil_gateway.agent.a2a.stream import Update, updates
from vigil_gateway.agent.a2a.taking import take_message
from vigil_gateway.agent.a2a.watching import end
from vigil_gateway.api.errors import TooManyStreams
from vigil_gateway.audit.noted import note_session
from vigil_gateway.ports import Ports

HOLDER = "holder"
# A watch has no end of its own: a call that waits for one gets the task as it is after so many seconds.
WAIT_S = 20.0
_NO_PUSH = ("push notifications are not sent", "Subscribe to the task, or have alerts sent by webhook.")


class WatchHandler(RequestHandler):
    """Keeps nothing in this process: tasks are in Redis, their states in their sessions, their alerts in a stream."""

    def __init__(self, ports: Ports, wait_s: float = WAIT_S) -> None:
        self._ports = ports
        self._wait_s = wait_s

    @validate_request_params
    async def on_message_send(self, params: SendMessageRequest, context: ServerCallContext) -> Task | Message:
        with as_a2a("SendMessage"):
            holder = _holder(context)
            task = await self._taken(params, holder)
            if task.session and not params.configuration.return_immediately:
                await self._await_news(holder, task)
            return await self._shown(task, _history_length(params.configuration))

    @validate_request_params
    async def on_message_send_stream(
        self, params: SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Update]:
        with as_a2a("SendStreamingMessage"):
            holder = _holder(context)
            task = await self._taken(params, holder)
            if task.missing:  # the agent must speak next: nothing comes before that
                yield await self._shown(task, None)
                return
            async with aclosing(updates(self._ports, holder, task)) as found:
                async for update in found:
                    yield update

    @validate_request_params
    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Update]:
        with as_a2a("SubscribeToTask"):
            holder = _holder(context)
            task = await self._task(holder, params.id)
            if (await state_of(self._ports, task)).is_over:
                raise refused("the task is over: nothing comes of it any more", "Read it with GetTask.")
            async with aclosing(updates(self._ports, holder, task)) as found:
                async for update in found:
                    yield update

    @validate_request_params
    async def on_get_task(self, params: GetTaskRequest, context: ServerCallContext) -> Task | None:
        with as_a2a("GetTask"):
            return await self._shown(await self._task(_holder(context), params.id), _history_length(params))

    @validate_request_params
    async def on_list_tasks(self, params: ListTasksRequest, context: ServerCallContext) -> ListTasksResponse:
        with as_a2a("ListTasks"):
            return await listed(self._ports, _holder(context).tenant, params)

    @validate_request_params
    async def on_cancel_task(self, params: CancelTaskRequest, context: ServerCallContext) -> Task | None:
        with as_a2a("CancelTask"):
            task = await self._task(_holder(context), params.id)
            if (await state_of(self._ports, task)).is_over:
                raise refused("the task is over already", "Nothing is left to do.", TaskNotCancelableError)
            if task.session:
                note_session(task.session)
                await end(self._ports, task)
            now_us = time.time_ns() // 1_000
            cancelled = replace(task, cancelled_us=now_us, changed_us=now_us)
            await self._ports.agent_tasks.put(cancelled, task)
            metrics.AGENT_TASKS.labels("cancelled").inc()
            return await self._shown(cancelled, None)

    async def on_create_task_push_notification_config(
        self, params: TaskPushNotificationConfig, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        raise refused(*_NO_PUSH, PushNotificationNotSupportedError)

    async def on_get_task_push_notification_config(
        self, params: GetTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> TaskPushNotificationConfig:
        raise refused(*_NO_PUSH, PushNotificationNotSupportedError)

    async def on_list_task_push_notification_configs(
        self, params: ListTaskPushNotificationConfigsRequest, context: ServerCallContext
    ) -> ListTaskPushNotificationConfigsResponse:
        raise refused(*_NO_PUSH, PushNotificationNotSupportedError)

    async def on_delete_task_push_notification_config(
        self, params: DeleteTaskPushNotificationConfigRequest, context: ServerCallContext
    ) -> None:
        raise refused(*_NO_PUSH, PushNotificationNotSupportedError)

    async def on_get_extended_agent_card(
        self, params: GetExtendedAgentCardRequest, context: ServerCallContext
    ) -> AgentCard:
        raise refused(
            "there is no other card for those with a key",
            "Read /.well-known/agent-card.json.",
            UnsupportedOperationError,
        )

    async def _taken(self, params: SendMessageRequest, holder: ApiKey) -> AgentTask:
        if params.configuration.HasField("task_push_notification_config"):
            raise refused(*_NO_PUSH, PushNotificationNotSupportedError)
        before = await self._task(holder, params.message.task_id) if params.message.task_id else None
        return await take_message(self._ports, holder.tenant, params.message, before)

    async def _task(self, holder: ApiKey, task_id: str) -> AgentTask:
        """The tenant's task. Raises `TaskNotFoundError`, also for another tenant's."""
        found = await self._ports.agent_tasks.get(holder.tenant, task_id) if _is_id(task_id) else None
        if found is None:
            raise refused(
                f"there is no task {task_id[:80]!r}", "List your tasks: they are kept for 7 days.", TaskNotFoundError
            )
        return found

    async def _await_news(self, holder: ApiKey, task: AgentTask) -> None:
        """Wait for the task's first alert or its end, for `wait_s` at most."""
        try:
            async with asyncio.timeout(self._wait_s), aclosing(updates(self._ports, holder, task)) as found:
                async for update in found:
                    if isinstance(update, TaskArtifactUpdateEvent):
                        return
        except (TimeoutError, TooManyStreams):
            return

    async def _shown(self, task: AgentTask, history_length: int | None) -> Task:
        state = await state_of(self._ports, task)
        return task_shown(task, state, await alerts_of(self._ports, task), history_length)


def _holder(context: ServerCallContext) -> ApiKey:
    """Who sends the request. Raises `InvalidParamsError` when it speaks for another tenant than its key does."""
    holder: ApiKey = context.state[HOLDER]
    if context.tenant not in ("", holder.tenant):
        raise refused(
            f"the key does not speak for the tenant {context.tenant[:80]!r}",
            "Leave `tenant` out: the key says whose the request is.",
            InvalidParamsError,
        )
    return holder


def _history_length(params: object) -> int | None:
    """How many messages the request wants; None: all. Raises `InvalidParamsError`."""
    length: int | None = params.history_length if params.HasField("history_length") else None  # type: ignore[attr-defined]
    if length is not None and length < 0:
        raise refused(f"historyLength is {length}", "Give 0 or more.", InvalidParamsError)
    return length


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
