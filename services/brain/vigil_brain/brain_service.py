"""`BrainService`: solves for a caller who waits, cancels a task of a session, lists what this worker has in hand."""

import asyncio
from collections.abc import AsyncIterator

import grpc

from vigil.contract import subjects
from vigil.contract.delegation import task_from_pb
from vigil.contract.errors import InvalidMessage
from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey
from vigil.core.task import TaskRequest, TaskState
from vigil.runtime.errors import BusError, StoreError
from vigil.runtime.process.logs import get_log
from vigil.v1 import brain_pb2 as pb
from vigil.v1.brain_pb2_grpc import BrainServiceServicer
from vigil_brain.approvals import approve
from vigil_brain.brains.port import Action
from vigil_brain.digest import digest, reason
from vigil_brain.outcome import Outcome
from vigil_brain.ports import Ports
from vigil_brain.solving import answer
from vigil_brain.task_worker import TaskWorker
from vigil_brain.told import MAX_PROGRESS_CHARS

log = get_log()

NAME = "vigil.v1.BrainService"
MAX_SOLVING = 16  # calls of Solve at once; more are refused
_PROGRESSES = 64  # that wait for a slow caller; the oldest go
_STATES = {state: pb.TaskState.Value(f"TASK_STATE_{state.name}") for state in TaskState}


class CallerTold:
    """Tells the caller of `Solve` how the work goes."""

    def __init__(self, ports: Ports, request: TaskRequest) -> None:
        self.said: asyncio.Queue[str] = asyncio.Queue(_PROGRESSES)
        self._ports = ports
        self._request = request

    async def progress(self, text: str) -> None:
        """See `Told`."""
        if words := digest(text, MAX_PROGRESS_CHARS):
            if self.said.full():
                self.said.get_nowait()
            self.said.put_nowait(words)

    async def approve(self, action: Action) -> bool:
        """See `Told`."""
        return await approve(self._ports, self._request, action)


class BrainService(BrainServiceServicer):
    """INVALID_ARGUMENT says which rule a request broke, RESOURCE_EXHAUSTED that too many solve at once."""

    def __init__(self, ports: Ports, worker: TaskWorker) -> None:
        self._ports = ports
        self._worker = worker
        self._solving = 0

    async def Solve(  # noqa: N802  the contract's name
        self, request: pb.SolveRequest, context: "grpc.aio.ServicerContext[pb.SolveRequest, pb.SolveResponse]"
    ) -> AsyncIterator[pb.SolveResponse]:
        """Ends with a final state; ending the call cancels the work."""
        try:
            task = task_from_pb(request.task)
        except InvalidMessage as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        if self._solving >= MAX_SOLVING:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{MAX_SOLVING} tasks are solved at once already")
        self._solving += 1
        told = CallerTold(self._ports, task)
        solving = asyncio.create_task(answer(self._ports, task, told))
        try:
            yield pb.SolveResponse(state=pb.TASK_STATE_RUNNING, brain=self._ports.catalogue.choose(task).brain)
            async for words in _until_done(told.said, solving):
                yield pb.SolveResponse(state=pb.TASK_STATE_RUNNING, text=words)
            yield _response(solving.result())
        finally:
            self._solving -= 1
            solving.cancel()
            await asyncio.wait({solving})

    async def Cancel(  # noqa: N802
        self, request: pb.CancelRequest, context: "grpc.aio.ServicerContext[pb.CancelRequest, pb.CancelResponse]"
    ) -> pb.CancelResponse:
        """Also of a task that another worker has."""
        try:
            key = SessionKey(request.tenant, request.session)
        except InvalidToken as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        try:
            was_open = await self._ports.tasks.cancel(key, request.task, reason(request.reason or "it was cancelled"))
            await self._ports.bus.publish(subjects.task_cancelling(key), request.task.encode())
        except (StoreError, BusError) as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        return pb.CancelResponse(cancelled=was_open)

    async def List(  # noqa: N802
        self, request: pb.ListRequest, context: "grpc.aio.ServicerContext[pb.ListRequest, pb.ListResponse]"
    ) -> pb.ListResponse:
        """From memory; nothing is read from the store."""
        return pb.ListResponse(
            worker=self._ports.worker,
            concurrency=self._worker.limits.running,
            tasks=[self._held(entry.request) for entry in self._worker],
        )

    def _held(self, request: TaskRequest) -> pb.HeldTask:
        running = self._worker.is_running(request)
        return pb.HeldTask(
            tenant=request.tenant,
            session=request.session,
            task=request.task,
            state=pb.TASK_STATE_RUNNING if running else pb.TASK_STATE_QUEUED,
            brain=self._ports.catalogue.choose(request).brain,
            priority=request.priority,
            age_s=max(0.0, (self._ports.now_us() - request.opened_at_us) / 1e6),
        )


async def _until_done(said: asyncio.Queue[str], solving: "asyncio.Task[Outcome]") -> AsyncIterator[str]:
    """What is said until the work is done, all of it."""
    while not solving.done():
        saying = asyncio.create_task(said.get())
        try:
            await asyncio.wait({saying, solving}, return_when=asyncio.FIRST_COMPLETED)
            if saying.done():
                yield saying.result()
        finally:
            saying.cancel()
    while not said.empty():
        yield said.get_nowait()


def _response(outcome: Outcome) -> pb.SolveResponse:
    files = [
        pb.ArtefactInfo(name=artefact.name, media_type=artefact.media_type, size=artefact.size)
        for artefact in outcome.kept.artefacts
    ]
    return pb.SolveResponse(state=_STATES[outcome.state], brain=outcome.brain, text=outcome.text, artefacts=files)
