"""A tenant's tasks, page by page, those that were changed last first."""

from collections.abc import Iterable

from a2a.types.a2a_pb2 import ListTasksRequest, ListTasksResponse, TaskState
from a2a.utils.errors import InvalidParamsError

from vigil.runtime.store.agent_tasks import AgentTask
from vigil_gateway.agent.a2a.alerts import alerts_of
from vigil_gateway.agent.a2a.errors import refused
from vigil_gateway.agent.a2a.shown import task_shown
from vigil_gateway.agent.a2a.state import State, state_of
from vigil_gateway.ports import Ports

USUAL_PAGE = 50
MAX_PAGE = 100


async def listed(ports: Ports, tenant: str, params: ListTasksRequest) -> ListTasksResponse:
    """One page of the tasks that are asked for. Raises `InvalidParamsError`."""
    size, history_length = _page_size(params), _history_length(params)
    found = [task for task in await ports.agent_tasks.all(tenant) if params.context_id in ("", task.context)]
    states: dict[str, State] = {}
    if params.status != TaskState.TASK_STATE_UNSPECIFIED or params.HasField("status_timestamp_after"):
        states = {task.id: await state_of(ports, task) for task in found}
        found = [task for task in found if _fits(states[task.id], params)]
    begin = _begin(found, params.page_token)
    page = found[begin : begin + size]
    tasks = []
    for task in page:
        state = states.get(task.id) or await state_of(ports, task)
        alerts = await alerts_of(ports, task) if params.include_artifacts else []
        tasks.append(task_shown(task, state, alerts, history_length))
    has_more = begin + size < len(found)
    return ListTasksResponse(
        tasks=tasks, next_page_token=page[-1].id if has_more else "", page_size=size, total_size=len(found)
    )


def _page_size(params: ListTasksRequest) -> int:
    size = params.page_size if params.HasField("page_size") else USUAL_PAGE
    if not 1 <= size <= MAX_PAGE:
        raise refused(f"pageSize is {size}", f"Give 1 to {MAX_PAGE}.", InvalidParamsError)
    return size


def _history_length(params: ListTasksRequest) -> int | None:
    length = params.history_length if params.HasField("history_length") else None
    if length is not None and length < 0:
        raise refused(f"historyLength is {length}", "Give 0 or more.", InvalidParamsError)
    return length


def _fits(state: State, params: ListTasksRequest) -> bool:
    if params.status not in (TaskState.TASK_STATE_UNSPECIFIED, state.state):
        return False
    after_us: int = params.status_timestamp_after.ToMicroseconds() if params.HasField("status_timestamp_after") else 0
    return state.since_us >= after_us


def _begin(found: Iterable[AgentTask], page_token: str) -> int:
    """Where the page begins: behind the task that the token names."""
    if not page_token:
        return 0
    place = next((number for number, task in enumerate(found) if task.id == page_token), None)
    if place is None:
        raise refused("the pageToken is of no task that is listed", "Begin again without it.", InvalidParamsError)
    return place + 1
