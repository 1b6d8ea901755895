"""The delegated questions of a session: what brains have seen of them, and those that no brain has seen yet."""

from vigil.core.ids import SessionKey
from vigil.core.task import TaskRecord, TaskRequest, TaskState
from vigil.core.turn import Task
from vigil_gateway.api.errors import UnknownTask
from vigil_gateway.ports import Ports


async def all_tasks(ports: Ports, key: SessionKey) -> tuple[TaskRecord, ...]:
    """The session's tasks, oldest first. Raises `UnknownSession`."""
    await ports.store.spec(key)
    waiting = (await ports.store.history(key)).tasks  # first: a task that a brain takes in between is there twice
    seen = tuple(reversed(await ports.tasks.list(key)))
    known = {record.task for record in seen}
    return (*seen, *(unseen(key, task) for task in waiting if task.id not in known))


async def one_task(ports: Ports, key: SessionKey, task: str) -> TaskRecord:
    """One task of the session. Raises `UnknownSession`, before `UnknownTask`."""
    await ports.store.spec(key)
    record = await ports.tasks.get(key, task)
    if record is not None:
        return record
    waiting = (await ports.store.history(key)).tasks
    found = next((known for known in waiting if known.id == task), None)
    if found is None:
        raise UnknownTask(task)
    return unseen(key, found)


def unseen(key: SessionKey, task: Task) -> TaskRecord:
    """A task that no brain has seen yet, as far as the session itself knows it: not when it was opened."""
    sequence = task.id.rpartition("-")[2]
    request = TaskRequest(
        tenant=key.tenant,
        session=key.session,
        source_id="",
        task=task.id,
        question=task.question,
        note=task.note,
        brain=task.brain,
        sequence=int(sequence) if sequence.isdecimal() else 0,
        time_ms=task.opened_ms,
        deadline_ms=task.deadline_ms,
    )
    return TaskRecord(request, TaskState.QUEUED)
