"""The alerts of a task so far, from the stream that keeps them."""

from datetime import UTC, datetime

from vigil.contract.events.envelope import CloudEvent
from vigil.runtime.store.agent_tasks import AgentTask
from vigil_gateway.agent.a2a.shown import is_of
from vigil_gateway.alerts.book import Wanted
from vigil_gateway.ports import Ports

MAX_ALERTS = 100


async def alerts_of(ports: Ports, task: AgentTask) -> list[CloudEvent]:
    """The newest event of each of the task's newest `MAX_ALERTS` alerts, those that began first first. Raises
    `TooManyAlertEvents`, `BusError`."""
    if not task.session:
        return []
    since = datetime.fromtimestamp(task.begun_us / 1e6, UTC)
    book = await ports.alerts.since(task.tenant, since, source=task.source)
    newest = (entry.newest for entry in book.found(Wanted(session=task.session)))
    found = [event for event in newest if is_of(task, event)][:MAX_ALERTS]
    return found[::-1]
