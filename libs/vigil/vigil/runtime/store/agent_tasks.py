"""Tasks that other agents gave Vigil: which watch of which session each of them is, and what was said about it.

They are in Redis, so that any gateway answers for them. What becomes of a task is no part of it: that is read from its
session and from the events of its alerts.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from redis.asyncio import Redis

from vigil.contract.unreadable import UNREADABLE
from vigil.runtime.errors import AgentTaskChanged, AgentTasksFull
from vigil.runtime.store import redis_client
from vigil.runtime.store.keys import PREFIX
from vigil.runtime.store.redis_client import unavailable

KEPT_S = 7 * 86_400.0  # since somebody last looked at it; as long as the events of alerts are kept
MAX_TASKS = 1_000
MAX_MESSAGES = 32
_PACKAGE = "vigil.runtime.store"


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """What the other agent said, as text."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class AgentTask:
    """One task. `missing` says what the other agent must still say before Vigil can watch; once it is empty the task is
    the watch `watch` of `session`, on `source`. The session `is_own` when the task opened it, and ends with the task.
    Times are in microseconds since the epoch; `cancelled_us` is 0 for a task that was not cancelled.

    Of its messages the newest `MAX_MESSAGES` are kept.
    """

    tenant: str
    id: str
    context: str
    begun_us: int
    changed_us: int
    messages: tuple[AgentMessage, ...]
    missing: str = ""
    session: str = ""
    watch: str = ""
    source: str = ""
    is_own: bool = False
    cancelled_us: int = 0


class AgentTasks:
    """The tasks of every tenant, at most `most` of each. Every method raises `StoreUnavailable`, `StoreFull`."""

    def __init__(self, redis: Redis, most: int = MAX_TASKS) -> None:
        self._redis: Any = redis  # redis-py types its replies as bytes or str; these are bytes
        self._most = most
        self._put = redis_client.script(redis, _PACKAGE, "agent_task_put")

    async def put(self, task: AgentTask, before: AgentTask | None = None) -> None:
        """Store a task, which is new or was `before`. Raises `AgentTaskChanged`, `AgentTasksFull`."""
        was = b"" if before is None else msgspec.json.encode(before)
        arguments = [task.id, was, msgspec.json.encode(task), round(KEPT_S * 1_000), self._most]
        with unavailable():
            answer = await self._put(keys=[_key(task.tenant, task.id), _index(task.tenant)], args=arguments)
        if answer == b"changed":
            raise AgentTaskChanged(f"the task {task.id} was changed by another request meanwhile")
        if answer == b"full":
            raise AgentTasksFull(f"{self._most:,} tasks are kept for this tenant, as many as may be")

    async def get(self, tenant: str, task_id: str) -> AgentTask | None:
        """The task; None when the tenant has none of that id. It is kept for `KEPT_S` from now on."""
        key = _key(tenant, task_id)
        with unavailable():
            found: bytes | None = await self._redis.getex(key, ex=round(KEPT_S))
            await self._redis.expire(_index(tenant), round(KEPT_S))
        return _read(found)

    async def all(self, tenant: str) -> tuple[AgentTask, ...]:
        """The tenant's tasks, those that were changed last first."""
        with unavailable():
            ids = await self._redis.zrevrange(_index(tenant), 0, -1)
            found = await self._redis.mget([_key(tenant, task_id.decode()) for task_id in ids]) if ids else []
        tasks = [task for value in found if (task := _read(value)) is not None]
        return tuple(sorted(tasks, key=lambda task: (-task.changed_us, task.id)))

    async def drop(self, task: AgentTask) -> None:
        """Forget a task."""
        with unavailable():
            await self._redis.delete(_key(task.tenant, task.id))
            await self._redis.zrem(_index(task.tenant), task.id)


def _read(value: bytes | None) -> AgentTask | None:
    """The stored task; None for one that a newer release wrote in a form that is unknown here."""
    try:
        return None if value is None else msgspec.json.decode(value, type=AgentTask)
    except UNREADABLE:
        return None


def _key(tenant: str, task_id: str) -> str:
    return f"{PREFIX}:{{gateway}}:agent:{tenant}:task:{task_id}"


def _index(tenant: str) -> str:
    """Sorted set of a tenant's tasks by when they were stored last, in milliseconds."""
    return f"{PREFIX}:{{gateway}}:agent:{tenant}:tasks"
