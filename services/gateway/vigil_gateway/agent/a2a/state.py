"""What has become of a task: read from its session, so that every gateway says the same, also after a restart."""

from dataclasses import dataclass

from a2a.types.a2a_pb2 import TaskState

from vigil.core.ids import SessionKey
from vigil.runtime.errors import UnknownSession
from vigil.runtime.store.agent_tasks import AgentTask
from vigil_gateway.ports import Ports
from vigil_gateway.sessions.commands import all_standing
from vigil_gateway.sessions.lifecycle import CLIENT_ENDED

TERMINAL = frozenset(
    {
        TaskState.TASK_STATE_COMPLETED,
        TaskState.TASK_STATE_FAILED,
        TaskState.TASK_STATE_CANCELED,
        TaskState.TASK_STATE_REJECTED,
    }
)


@dataclass(frozen=True, slots=True)
class State:
    """A task's state since a time (microseconds since the epoch), and in words."""

    state: TaskState
    words: str
    since_us: int

    @property
    def is_over(self) -> bool:
        """Whether nothing can become of the task any more."""
        return self.state in TERMINAL


async def state_of(ports: Ports, task: AgentTask) -> State:
    """The state of a task now. Raises `StoreError`."""
    if task.cancelled_us:
        return State(TaskState.TASK_STATE_CANCELED, "The agent cancelled it.", task.cancelled_us)
    if task.missing:
        return State(TaskState.TASK_STATE_INPUT_REQUIRED, task.missing, task.changed_us)
    key = SessionKey(task.tenant, task.session)
    ended = await ports.store.ended(key)
    if ended is not None:
        is_cancelled = ended.reason == CLIENT_ENDED
        state = TaskState.TASK_STATE_CANCELED if is_cancelled else TaskState.TASK_STATE_COMPLETED
        return State(state, f"The session has ended: {ended.reason}.", ended.at_ms * 1_000)
    try:
        found = [standing for standing in await all_standing(ports, key) if standing.instruction.id == task.watch]
    except UnknownSession:
        return State(TaskState.TASK_STATE_COMPLETED, "The session has ended, and is forgotten.", task.changed_us)
    if not found:
        return State(TaskState.TASK_STATE_CANCELED, "The watch was removed.", task.changed_us)
    if found[0].pending:
        return State(TaskState.TASK_STATE_SUBMITTED, "The next turn shows the watch to the model.", task.changed_us)
    return State(TaskState.TASK_STATE_WORKING, "The model watches.", task.changed_us)
