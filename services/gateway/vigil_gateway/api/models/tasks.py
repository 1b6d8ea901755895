"""Delegated questions and the work of brains on them, as they are listed."""

from datetime import datetime

from pydantic import Field

from vigil.core.task import TaskState
from vigil_gateway.api.models.base import Out


class ArtefactOut(Out):
    """A file that a brain made beside its words."""

    index: int = Field(description="Its number within the task, from 0")
    name: str
    media_type: str = Field(
        description="Compared with its bytes; `application/octet-stream` where it is of no known type"
    )
    size: int = Field(description="In bytes")
    path: str = Field(description="Where it is, on this gateway")


class TaskOut(Out):
    """A delegated question, and how far the work on it is."""

    id: str = Field(description="Id of the task: the session's and the sequence of the turn that delegated it")
    session: str
    question: str
    note: str = Field(description="What the model said when it delegated the question; empty when it said nothing")
    state: TaskState = Field(
        description="queued: it waits for a worker; running; waiting_approval: its brain waits until an operator "
        "decides; ready: its answer was given to the session; error: there is none, and the session was told why; "
        "cancelled: nobody wants its answer any more"
    )
    brain: str = Field(description="The brain that works on it, or that shall; empty: the tenant's default")
    text: str = Field(description="What the brain does at the moment; the digest of its answer; why there is none")
    artefacts: list[ArtefactOut]
    sequence: int = Field(description="The turn that delegated it")
    time_s: float = Field(description="Model time of that turn")
    opened_at: datetime | None = Field(description="When it was delegated; null while no brain has seen it")
    started_at: datetime | None = Field(description="When a brain began to work on it; null while it waits")
    ended_at: datetime | None = Field(description="When the work ended; null while it goes on")


class TaskList(Out):
    """The tasks of a session, oldest first."""

    tasks: list[TaskOut]
