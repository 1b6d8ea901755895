"""Tasks of other agents: kept apart by tenant, changed by one at a time, bounded."""

from dataclasses import replace

import pytest
from redis.asyncio import Redis

from vigil.runtime.errors import AgentTaskChanged, AgentTasksFull
from vigil.runtime.store.agent_tasks import AgentMessage, AgentTask, AgentTasks

TASK = AgentTask("demo", "t-1", "c-1", 1, 1, (AgentMessage("m-1", "Fire?"),), missing="Which camera?")


async def test_a_task_is_kept_for_its_tenant(redis: Redis) -> None:
    tasks = AgentTasks(redis)
    await tasks.put(TASK)
    await tasks.put(TASK)  # a call that was repeated changes nothing
    await tasks.put(replace(TASK, id="t-2", changed_us=2))
    await tasks.put(replace(TASK, tenant="rival", id="t-3"))
    assert await tasks.get("demo", "t-1") == TASK
    assert await tasks.get("rival", "t-1") is None
    assert [task.id for task in await tasks.all("demo")] == ["t-2", "t-1"], "the one that was changed last comes first"
    await tasks.drop(TASK)
    assert [task.id for task in await tasks.all("demo")] == ["t-2"]


async def test_of_two_that_change_it_at_once_one_is_told(redis: Redis) -> None:
    tasks = AgentTasks(redis)
    await tasks.put(TASK)
    watching = replace(TASK, missing="", session="s-1", watch="w-1")
    await tasks.put(watching, TASK)
    with pytest.raises(AgentTaskChanged):
        await tasks.put(replace(TASK, cancelled_us=3), TASK)
    assert await tasks.get("demo", "t-1") == watching


async def test_a_tenant_has_a_bounded_number(redis: Redis) -> None:
    tasks = AgentTasks(redis, most=2)
    await tasks.put(TASK)
    await tasks.put(replace(TASK, id="t-2"))
    with pytest.raises(AgentTasksFull):
        await tasks.put(replace(TASK, id="t-3"))
    await tasks.put(replace(TASK, tenant="rival"))
    await tasks.put(replace(TASK, changed_us=2), TASK)
    await redis.delete("vigil:v1:{gateway}:agent:demo:task:t-2")  # it was forgotten
    await tasks.put(replace(TASK, id="t-3"))
    assert {task.id for task in await tasks.all("demo")} == {"t-1", "t-3"}
