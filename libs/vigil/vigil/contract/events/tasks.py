"""What a brain tells of its work on a delegated question: started, progress, ready, error, cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass

from vigil.contract import subjects
from vigil.contract.artefacts import artefact_path
from vigil.contract.events.envelope import CloudEvent, event_outgoing, rfc3339, session_source
from vigil.contract.outgoing import Outgoing
from vigil.contract.subject_tokens import DelegationEvent
from vigil.core.task import Artefact, TaskRequest, TaskState

MAX_NEWS_CHARS = 2_000


@dataclass(frozen=True, slots=True)
class ArtefactRef:
    """A file that the brain made, with its path on the gateway. `size` is in bytes."""

    name: str
    media_type: str
    size: int
    path: str


@dataclass(frozen=True, slots=True)
class TaskData:
    """The `data` of an event that a brain tells. `text` is what the brain does at the moment, the digest of its answer,
    or why there is none."""

    tenant: str
    session: str
    source_id: str
    task: str
    event: str
    brain: str
    state: str
    text: str
    artefacts: tuple[ArtefactRef, ...]
    emit_time: str


@dataclass(frozen=True, slots=True)
class TaskNews:
    """What happened to a task at `at_us` (microseconds since the epoch). `number` counts the events of one kind."""

    event: DelegationEvent
    state: TaskState
    at_us: int
    brain: str = ""
    text: str = ""
    artefacts: Sequence[Artefact] = ()
    number: int = 0


def news_outgoing(request: TaskRequest, news: TaskNews, traceparent: str = "") -> Outgoing:
    """The stored message of what happened to a task. A worker that tells the same again uses the same id."""
    when = rfc3339(news.at_us)
    references = (
        ArtefactRef(artefact.name, artefact.media_type, artefact.size, artefact_path(request.key, request.task, number))
        for number, artefact in enumerate(news.artefacts)
    )
    data = TaskData(
        tenant=request.tenant,
        session=request.session,
        source_id=request.source_id,
        task=request.task,
        event=news.event,
        brain=news.brain,
        state=news.state,
        text=news.text[:MAX_NEWS_CHARS],
        artefacts=tuple(references),
        emit_time=when,
    )
    event = CloudEvent(
        id=f"{request.task}.delegation.{request.opened_at_us}.{news.event}.{news.number}",
        source=session_source(request.key),
        type=f"vigil.delegation.{news.event}",
        subject=request.task,
        time=when,
        data=data,
        traceparent=traceparent or None,
    )
    return event_outgoing(request.tenant, subjects.delegation(news.event, request.key), event)
