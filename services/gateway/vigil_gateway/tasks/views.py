"""What the store has of a task, as a client is shown it. Pure."""

from datetime import UTC, datetime

from vigil.contract.artefacts import artefact_path
from vigil.core.task import Artefact, TaskRecord, TaskState
from vigil_gateway.api.models.tasks import ArtefactOut, TaskOut


def task_out(record: TaskRecord) -> TaskOut:
    """One task."""
    request = record.request
    return TaskOut(
        id=record.task,
        session=request.session,
        question=request.question,
        note=request.note,
        state=record.state,
        brain=record.brain or request.brain,
        text=_text(record),
        artefacts=[artefact_out(record, index, artefact) for index, artefact in enumerate(record.artefacts)],
        sequence=request.sequence,
        time_s=request.time_ms / 1_000,
        opened_at=_moment(request.opened_at_us // 1_000 or -1),
        started_at=_moment(record.started_ms),
        ended_at=_moment(record.ended_ms),
    )


def artefact_out(record: TaskRecord, index: int, artefact: Artefact) -> ArtefactOut:
    """One file of a task."""
    return ArtefactOut(
        index=index,
        name=artefact.name,
        media_type=artefact.media_type,
        size=artefact.size,
        path=artefact_path(record.request.key, record.task, index),
    )


def _text(record: TaskRecord) -> str:
    match record.state:
        case TaskState.READY:
            return record.digest
        case TaskState.ERROR | TaskState.CANCELLED:
            return record.error
        case _:
            return record.progress


def _moment(milliseconds: int) -> datetime | None:
    return None if milliseconds < 0 else datetime.fromtimestamp(milliseconds / 1_000, UTC)
