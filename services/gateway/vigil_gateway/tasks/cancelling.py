"""A client that wants an answer no more: the record says so, the session is told, and the brain hears to stop."""

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.core.turn import Result
from vigil.runtime.process.logs import get_log
from vigil.runtime.session.inbox import nudge, submit_result
from vigil_gateway import metrics
from vigil_gateway.api.errors import UnknownTask
from vigil_gateway.ports import Ports

log = get_log()

REASON = "somebody cancelled it"


async def cancel(ports: Ports, key: SessionKey, task: str) -> None:
    """Cancel a task, whether it waits for a brain or one works on it. One that has ended stays as it is.

    Raises `UnknownTask`, and what the ports raise; it is safe to repeat.
    """
    if await ports.tasks.get(key, task) is None:
        await _cancel_unseen(ports, key, task)
    elif await ports.tasks.cancel(key, task, REASON):
        await nudge(ports.bus, key)
    else:
        metrics.TASKS_CANCELLED.labels("over").inc()
        return
    await ports.bus.publish(subjects.task_cancelling(key), task.encode())
    metrics.TASKS_CANCELLED.labels("cancelled").inc()
    log.info("task cancelled", session=key.session, task=task)


async def _cancel_unseen(ports: Ports, key: SessionKey, task: str) -> None:
    """A question that no brain has seen yet: the session gives it up by itself."""
    waiting = (await ports.store.history(key)).tasks
    if all(known.id != task for known in waiting):
        raise UnknownTask(task)
    await submit_result(ports, key, Result(task, REASON, is_ok=False))
