"""Delegated questions of a session: listed, shown, cancelled; and the files that brains made of them."""

from typing import Annotated

from fastapi import APIRouter, Path, status
from fastapi.responses import Response

from vigil.core.task import MAX_ARTEFACTS
from vigil.runtime.errors import ArtefactMissing
from vigil_gateway.api.errors import UnknownArtefact
from vigil_gateway.api.models.tasks import TaskList, TaskOut
from vigil_gateway.ports import Key, PortsOf
from vigil_gateway.tasks.cancelling import cancel
from vigil_gateway.tasks.delivery import headers_of
from vigil_gateway.tasks.reading import all_tasks, one_task
from vigil_gateway.tasks.views import task_out

router = APIRouter(prefix="/v1/sessions/{session}/tasks", tags=["tasks"])

TaskId = Annotated[str, Path(max_length=256, description="The id of a task")]
Index = Annotated[int, Path(ge=0, lt=MAX_ARTEFACTS, description="The `index` of an artefact")]


@router.get("")
async def list_tasks(ports: PortsOf, key: Key) -> TaskList:
    """The session's delegated questions, oldest first: the last 64 that brains have seen, and those that wait."""
    return TaskList(tasks=[task_out(record) for record in await all_tasks(ports, key)])


@router.get("/{task}")
async def show_task(ports: PortsOf, key: Key, task: TaskId) -> TaskOut:
    """One delegated question: how far it is, what was found, which files were made."""
    return task_out(await one_task(ports, key, task))


@router.delete("/{task}", status_code=status.HTTP_204_NO_CONTENT)
async def cancel_task(ports: PortsOf, key: Key, task: TaskId) -> None:
    """Cancel a delegated question: its brain stops, and the model is told that no answer comes. One that has ended
    stays as it is."""
    await ports.store.spec(key)
    await cancel(ports, key, task)


@router.get(
    "/{task}/artefacts/{index}",
    response_class=Response,
    responses={
        200: {
            "description": "The file. A page (`text/html`) comes with a policy of its own: it has no origin, and may "
            "load nothing; what is no page, picture or text comes as a file to keep",
            "content": {"application/octet-stream": {}},
        }
    },
)
async def show_artefact(ports: PortsOf, key: Key, task: TaskId, index: Index) -> Response:
    """A file that a brain made beside its words; kept for a day."""
    artefacts = (await one_task(ports, key, task)).artefacts
    if index >= len(artefacts):
        raise UnknownArtefact(task, index)
    artefact = artefacts[index]
    try:
        content = await ports.bus.get_artefact(artefact.object)
    except ArtefactMissing:
        raise UnknownArtefact(task, index) from None
    return Response(content, headers=dict(headers_of(artefact)))
