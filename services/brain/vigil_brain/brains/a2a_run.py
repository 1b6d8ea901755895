"""What an A2A agent has said of its work on one task, and the answer in it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from a2a.types import Artifact, Message, Part, StreamResponse, Task, TaskState, TaskStatus
from google.protobuf.json_format import MessageToDict

from vigil_brain.brains.bounded import BoundedText
from vigil_brain.brains.http_client import shortened
from vigil_brain.brains.port import Answer, ArtefactContent, BrainError, Told

MAX_ARTEFACTS = 8
_PLAIN = frozenset({"", "text/plain", "text/markdown"})
_ASKING = frozenset({TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_AUTH_REQUIRED})
_FAILED = frozenset({TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_CANCELED, TaskState.TASK_STATE_REJECTED})
_ENDED = _FAILED | {TaskState.TASK_STATE_COMPLETED}


@dataclass(slots=True)
class Run:
    """What the agent has said of its work so far."""

    task: str = ""
    context: str = ""
    status: TaskStatus = field(default_factory=TaskStatus)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    message: Message | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.message is not None or self.status.state in _ENDED

    @property
    def is_asking(self) -> bool:
        """Whether the agent waits for input."""
        return self.status.state in _ASKING


async def take(run: Run, event: StreamResponse, told: Told) -> None:
    """Take one event of the agent, and tell of its progress."""
    match event.WhichOneof("payload"):
        case "message":
            run.message = event.message
        case "task":
            take_task(run, event.task)
        case "status_update":
            run.task, run.context = event.status_update.task_id, event.status_update.context_id
            run.status = event.status_update.status
            if not run.is_over and (text := text_of(run.status.message.parts)):
                await told.progress(shortened(text))
        case "artifact_update":
            run.task = event.artifact_update.task_id
            update = event.artifact_update
            known = run.artifacts.get(update.artifact.artifact_id)
            if update.append and known is not None:
                _append(known, update.artifact.parts)
            elif len(run.artifacts) < MAX_ARTEFACTS or known is not None:
                run.artifacts[update.artifact.artifact_id] = update.artifact


def _append(artifact: Artifact, parts: Iterable[Part]) -> None:
    """More of an artefact: text goes on where its last part is text of the same type, else it is a part of its own."""
    for part in parts:
        last = artifact.parts[-1] if artifact.parts else None
        is_text = last is not None and last.WhichOneof("content") == part.WhichOneof("content") == "text"
        if last is not None and is_text and last.media_type == part.media_type:
            last.text += part.text
        else:
            artifact.parts.append(part)


def take_task(run: Run, task: Task) -> None:
    """Take the whole task as the agent has it."""
    run.task, run.context, run.status = task.id, task.context_id, task.status
    if task.artifacts:
        run.artifacts = {artifact.artifact_id: artifact for artifact in task.artifacts[:MAX_ARTEFACTS]}


def answer_of(run: Run) -> Answer:
    """What the agent found. Raises `BrainError` when its task failed, or it said nothing."""
    if run.status.state in _FAILED:
        state = TaskState.Name(run.status.state).removeprefix("TASK_STATE_").lower()
        said = shortened(text_of(run.status.message.parts))
        raise BrainError(f"the agent's task is {state}" + (f" ({said})" if said else ""))
    parts = [part for artifact in run.artifacts.values() for part in artifact.parts]
    spoken = list(run.message.parts) if run.message is not None else list(run.status.message.parts)
    text = BoundedText()
    text.append(text_of([*spoken, *parts]))
    artefacts = tuple(
        content
        for artifact in run.artifacts.values()
        for part in artifact.parts
        if (content := _content(artifact, part)) is not None
    )
    if not text.text and not artefacts:
        raise BrainError("the agent ended its task without an answer")
    return Answer(text.text, artefacts[:MAX_ARTEFACTS], text.was_cut)


def text_of(parts: Iterable[Part]) -> str:
    """The plain text of parts; a part that is elsewhere is named by its address, never fetched."""
    pieces: list[str] = []
    for part in parts:
        if part.WhichOneof("content") == "text" and part.media_type in _PLAIN:
            pieces.append(part.text)
        elif part.WhichOneof("content") == "url":
            pieces.append(part.url)
    return "\n".join(piece for piece in pieces if piece)


def _content(artifact: Artifact, part: Part) -> ArtefactContent | None:
    name = part.filename or artifact.name or artifact.artifact_id
    match part.WhichOneof("content"):
        case "raw":
            return ArtefactContent(name, part.media_type, part.raw)
        case "data":
            text = json.dumps(MessageToDict(part.data), ensure_ascii=False)
            return ArtefactContent(name, part.media_type or "application/json", text.encode())
        case "text" if part.media_type not in _PLAIN:
            return ArtefactContent(name, part.media_type, part.text.encode())
    return None
