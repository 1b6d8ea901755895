"""An A2A agent by the official SDK: its answer streams where the agent can, else its task is polled.

The agent's task outlives a lost connection: it is subscribed to again, and polled where that fails. Cancelling our task
cancels the agent's. When the agent asks for input, an operator is asked whether it may go on.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.types import (
    Artifact,
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskState,
    TaskStatus,
)
from a2a.utils.constants import TransportProtocol
from a2a.utils.errors import A2AError
from google.protobuf.json_format import MessageToDict

from vigil_brain.brains.bounded import BoundedText
from vigil_brain.brains.http_client import CONNECT_S, SILENCE_S, cancelled_remotely, in_time, shortened
from vigil_brain.brains.port import (
    MAX_READ_BYTES,
    Action,
    Answer,
    ArtefactContent,
    Brain,
    BrainError,
    BrainTask,
    Told,
)
from vigil_brain.brains.prompt import newest, picture_label, system_text, user_text
from vigil_brain.brains.spec import BrainSpec

POLL_S = 1.0
MAX_LOST = 5
MAX_ARTEFACTS = 8
MAX_INPUTS = 4
_PLAIN = frozenset({"", "text/plain", "text/markdown"})
_ASKING = frozenset({TaskState.TASK_STATE_INPUT_REQUIRED, TaskState.TASK_STATE_AUTH_REQUIRED})
_FAILED = frozenset({TaskState.TASK_STATE_FAILED, TaskState.TASK_STATE_CANCELED, TaskState.TASK_STATE_REJECTED})
_ENDED = _FAILED | {TaskState.TASK_STATE_COMPLETED}
_FAILURES = (A2AError, httpx.HTTPError, ValueError)


class TooMuch(httpx.ReadError):
    """The agent sent more than is read."""


@dataclass(slots=True)
class _Run:
    """What the agent has said of its work so far."""

    task: str = ""
    context: str = ""
    status: TaskStatus = field(default_factory=TaskStatus)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    message: Message | None = None

    @property
    def is_over(self) -> bool:
        return self.message is not None or self.status.state in _ENDED

    @property
    def is_asking(self) -> bool:
        return self.status.state in _ASKING


class A2ABrain:
    """Sends the question as a message, and follows the task that the agent makes of it."""

    def __init__(self, http: httpx.AsyncClient, url: str, pictures: int, timeout_s: float) -> None:
        self._http = http
        self._url, self._pictures = url, pictures
        self._timeout_s = timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._timeout_s, task.deadline_s)):
            client, run = await self._client(), _Run()
            async with cancelled_remotely(lambda: _cancel(client, run)):
                await _follow(client, run, told, self._question(task))
                for _ in range(MAX_INPUTS):
                    if not run.is_asking:
                        break
                    await _give_input(client, run, told)
            return _answer(run)

    async def _client(self) -> Client:
        """A client after the agent's card of now: agents move."""
        config = ClientConfig(
            httpx_client=self._http,
            supported_protocol_bindings=[TransportProtocol.HTTP_JSON, TransportProtocol.JSONRPC],
            polling=True,  # an agent that does not stream answers at once, with a task to ask for
        )
        try:
            return await ClientFactory(config).create_from_url(self._url)
        except _FAILURES as error:
            raise _failure("gives no agent card", error) from None

    def _question(self, task: BrainTask) -> Message:
        parts = [Part(text=system_text(task)), Part(text=user_text(task))]
        for picture in newest(task.pictures, self._pictures):
            parts.append(Part(text=picture_label(picture)))
            parts.append(Part(raw=picture.jpeg, media_type="image/jpeg", filename=f"{picture.time_ms}.jpg"))
        return Message(message_id=f"vigil-{task.id}", role=Role.ROLE_USER, parts=parts)


@asynccontextmanager
async def open_agent(url: str, pictures: int, spec: BrainSpec) -> AsyncIterator[Brain]:
    """The agent at `url`, which gets so many of the newest pictures."""
    headers = {"Authorization": f"Bearer {spec.key}"} if spec.key else {}
    timeout = httpx.Timeout(SILENCE_S, connect=CONNECT_S)
    transport = _Bounded(trust_env=False)
    async with httpx.AsyncClient(headers=headers, timeout=timeout, transport=transport, trust_env=False) as http:
        yield A2ABrain(http, url, pictures, spec.timeout_s)


async def _follow(client: Client, run: _Run, told: Told, message: Message) -> None:
    """Send a message, and take what comes until the task ends or asks. Raises `BrainError`."""
    try:
        async for event in client.send_message(SendMessageRequest(message=message)):
            await _take(run, event, told)
    except _FAILURES as error:
        if not run.task or isinstance(error.__cause__, TooMuch):
            raise _failure("did not take the question", error) from None
    if run.task and not run.is_over and not run.is_asking:
        await _subscribe(client, run, told)


async def _subscribe(client: Client, run: _Run, told: Told) -> None:
    """Follow a task whose stream was lost or never was: by a new stream, then by asking again and again."""
    try:
        async for event in client.subscribe(SubscribeToTaskRequest(id=run.task)):
            await _take(run, event, told)
    except (*_FAILURES, NotImplementedError):
        pass  # the task may be over, or the agent cannot: polling finds out
    lost = 0
    while not run.is_over and not run.is_asking:
        try:
            _take_task(run, await client.get_task(GetTaskRequest(id=run.task)))
            lost = 0
        except _FAILURES as error:
            lost += 1
            if lost > MAX_LOST:
                raise _failure("cannot be asked for its task", error) from None
        if not run.is_over and not run.is_asking:
            await asyncio.sleep(POLL_S)


async def _give_input(client: Client, run: _Run, told: Told) -> None:
    """Ask an operator whether the agent may go on, and tell the agent. Raises `BrainError` when it may not."""
    said = shortened(_text(run.status.message.parts) or "it asks for more input")
    if not await told.approve(Action("a2a_input", {"asked": said}, f"The agent asks: {said}")):
        raise BrainError(f"the agent asked for input, and no operator gave it: {said}")
    run.status = TaskStatus(state=TaskState.TASK_STATE_WORKING)
    parts = [Part(text="An operator has approved this. Go on.")]
    reply = Message(
        message_id=f"vigil-{run.task}-input",
        role=Role.ROLE_USER,
        parts=parts,
        task_id=run.task,
        context_id=run.context,
    )
    await _follow(client, run, told, reply)


async def _cancel(client: Client, run: _Run) -> None:
    if run.task and not run.is_over:
        try:
            await client.cancel_task(CancelTaskRequest(id=run.task))
        except _FAILURES as error:
            raise _failure("did not cancel its task", error) from None


async def _take(run: _Run, event: StreamResponse, told: Told) -> None:
    """Take one event of the agent."""
    match event.WhichOneof("payload"):
        case "message":
            run.message = event.message
        case "task":
            _take_task(run, event.task)
        case "status_update":
            run.task, run.context = event.status_update.task_id, event.status_update.context_id
            run.status = event.status_update.status
            if not run.is_over and (text := _text(run.status.message.parts)):
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


def _take_task(run: _Run, task: Task) -> None:
    run.task, run.context, run.status = task.id, task.context_id, task.status
    if task.artifacts:
        run.artifacts = {artifact.artifact_id: artifact for artifact in task.artifacts[:MAX_ARTEFACTS]}


def _answer(run: _Run) -> Answer:
    """What the agent found. Raises `BrainError` when its task failed, or it said nothing."""
    if run.status.state in _FAILED:
        state = TaskState.Name(run.status.state).removeprefix("TASK_STATE_").lower()
        said = shortened(_text(run.status.message.parts))
        raise BrainError(f"the agent's task is {state}" + (f" ({said})" if said else ""))
    parts = [part for artifact in run.artifacts.values() for part in artifact.parts]
    spoken = list(run.message.parts) if run.message is not None else list(run.status.message.parts)
    text = BoundedText()
    text.append(_text([*spoken, *parts]))
    artefacts = tuple(
        content
        for artifact in run.artifacts.values()
        for part in artifact.parts
        if (content := _content(artifact, part)) is not None
    )
    if not text.text and not artefacts:
        raise BrainError("the agent ended its task without an answer")
    return Answer(text.text, artefacts[:MAX_ARTEFACTS], text.was_cut)


def _text(parts: Iterable[Part]) -> str:
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


def _failure(what: str, error: Exception) -> BrainError:
    """In plain words, without the address: what an HTTP client raised lies below what the SDK made of it."""
    cause = error.__cause__
    if isinstance(cause, TooMuch):
        return BrainError(f"the agent sent more than {MAX_READ_BYTES:,} bytes")
    if isinstance(cause, httpx.HTTPStatusError):
        status = cause.response.status_code
        hint = ": check its key" if status in (401, 403) else ""
        return BrainError(f"the agent {what}: it answered {status}{hint}", is_transient=status >= 500 or status == 429)
    if isinstance(cause, httpx.TransportError) or isinstance(error, httpx.TransportError):
        return BrainError(f"the agent {what}: it cannot be reached", is_transient=True)
    return BrainError(f"the agent {what}: {type(error).__name__}")


class _Bounded(httpx.AsyncHTTPTransport):
    """Reads `MAX_READ_BYTES` of an answer and not more."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Counted(response.stream)
        return response


class _Counted(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream
        self._left = MAX_READ_BYTES

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooMuch(f"more than {MAX_READ_BYTES:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
