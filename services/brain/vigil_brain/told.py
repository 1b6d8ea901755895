"""What a brain says of its work while it works, on its way to the bus and the store."""

from vigil.contract.events.tasks import TaskNews, news_outgoing
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.task import TaskRequest, TaskState
from vigil.runtime.errors import BusError, StoreError
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import current_traceparent
from vigil_brain import metrics
from vigil_brain.approvals import approve
from vigil_brain.brains.port import Action
from vigil_brain.digest import digest
from vigil_brain.ports import Ports

log = get_log()

MAX_PROGRESS_CHARS = 300
MAX_PROGRESSES = 200  # of one task; what comes after is not told
_PROGRESS_S = 1.0


class TaskTold:
    """Tells of one task that is worked on under `fence`. Progress is told once a second at most; it may be dropped."""

    def __init__(self, ports: Ports, request: TaskRequest, fence: int, brain: str) -> None:
        self._ports = ports
        self._request = request
        self._fence = fence
        self._brain = brain
        self._told_s = float("-inf")
        self._count = 0

    async def started(self) -> None:
        """A worker begins with the task. A worker that takes it over tells it again, with the same id."""
        await self._tell(TaskNews(DelegationEvent.STARTED, TaskState.RUNNING, self._ports.now_us(), self._brain))

    async def progress(self, text: str) -> None:
        """See `Told`."""
        words = digest(text, MAX_PROGRESS_CHARS)
        now_s = self._ports.monotonic()
        if not words or self._count >= MAX_PROGRESSES or now_s - self._told_s < _PROGRESS_S:
            return
        self._told_s, self._count = now_s, self._count + 1
        number = self._fence * MAX_PROGRESSES + self._count
        await self._note(None, words)
        news = TaskNews(
            DelegationEvent.PROGRESS, TaskState.RUNNING, self._ports.now_us(), self._brain, words, number=number
        )
        await self._tell(news)

    async def approve(self, action: Action) -> bool:
        """See `Told`."""
        await self._note(TaskState.WAITING_APPROVAL, digest(action.summary, MAX_PROGRESS_CHARS))
        try:
            return await approve(self._ports, self._request, action)
        finally:
            await self._note(TaskState.RUNNING, "")

    async def _note(self, state: TaskState | None, progress: str) -> None:
        request = self._request
        try:
            await self._ports.tasks.renew(request.key, request.task, self._fence, self._ports.lease_s, state, progress)
        except StoreError as error:
            log.warning("task not noted", task=request.task, reason=str(error))

    async def _tell(self, news: TaskNews) -> None:
        try:
            await self._ports.bus.publish_stored(news_outgoing(self._request, news, current_traceparent()))
        except BusError as error:
            metrics.EVENTS_DROPPED.labels(news.event).inc()
            log.warning("task event not stored", task=self._request.task, event_kind=news.event, reason=str(error))
