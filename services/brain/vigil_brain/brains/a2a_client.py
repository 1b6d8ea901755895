"""An A2A agent by the official SDK: its answer streams where the agent can, else its task is polled.

The agent's task outlives a lost connection: it is subscribed to again, and polled where that fails. Cancelling our task
cancels the agent's. When the agent asks for input, an operator is asked whether it may go on.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskState,
    TaskStatus,
)
from a2a.utils.constants import TransportProtocol
from a2a.utils.errors import A2AError

from vigil_brain.brains.a2a_run import Run, answer_of, take, take_task, text_of
from vigil_brain.brains.a2a_transport import BoundedTransport, TooMuch
from vigil_brain.brains.http_client import CONNECT_S, SILENCE_S, cancelled_remotely, in_time, shortened
from vigil_brain.brains.port import (
    MAX_READ_BYTES,
    Action,
    Answer,
    Brain,
    BrainError,
    BrainTask,
    Told,
)
from vigil_brain.brains.prompt import newest, picture_label, system_text, user_text
from vigil_brain.brains.spec import BrainSpec

POLL_S = 1.0
MAX_LOST = 5
MAX_INPUTS = 4
_FAILURES = (A2AError, httpx.HTTPError, ValueError)


class A2ABrain:
    """Sends the question as a message, and follows the task that the agent makes of it."""

    def __init__(self, http: httpx.AsyncClient, url: str, pictures: int, timeout_s: float) -> None:
        self._http = http
        self._url, self._pictures = url, pictures
        self._timeout_s = timeout_s

    async def solve(self, task: BrainTask, told: Told) -> Answer:
        async with in_time(min(self._timeout_s, task.deadline_s)):
            client, run = await self._client(), Run()
            async with cancelled_remotely(lambda: _cancel(client, run)):
                await _follow(client, run, told, self._question(task))
                for _ in range(MAX_INPUTS):
                    if not run.is_asking:
                        break
                    await _give_input(client, run, told)
            return answer_of(run)

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
    transport = BoundedTransport(verify=spec.trusted or True, trust_env=False)
    async with httpx.AsyncClient(headers=headers, timeout=timeout, transport=transport, trust_env=False) as http:
        yield A2ABrain(http, url, pictures, spec.timeout_s)


async def _follow(client: Client, run: Run, told: Told, message: Message) -> None:
    """Send a message, and take what comes until the task ends or asks. Raises `BrainError`."""
    try:
        async for event in client.send_message(SendMessageRequest(message=message)):
            await take(run, event, told)
    except _FAILURES as error:
        if not run.task or isinstance(error.__cause__, TooMuch):
            raise _failure("did not take the question", error) from None
    if run.task and not run.is_over and not run.is_asking:
        await _subscribe(client, run, told)


async def _subscribe(client: Client, run: Run, told: Told) -> None:
    """Follow a task whose stream was lost or never was: by a new stream, then by asking again and again."""
    try:
        async for event in client.subscribe(SubscribeToTaskRequest(id=run.task)):
            await take(run, event, told)
    except (*_FAILURES, NotImplementedError):
        pass  # the task may be over, or the agent cannot: polling finds out
    lost = 0
    while not run.is_over and not run.is_asking:
        try:
            take_task(run, await client.get_task(GetTaskRequest(id=run.task)))
            lost = 0
        except _FAILURES as error:
            lost += 1
            if lost > MAX_LOST:
                raise _failure("cannot be asked for its task", error) from None
        if not run.is_over and not run.is_asking:
            await asyncio.sleep(POLL_S)


async def _give_input(client: Client, run: Run, told: Told) -> None:
    """Ask an operator whether the agent may go on, and tell the agent. Raises `BrainError` when it may not."""
    said = shortened(text_of(run.status.message.parts) or "it asks for more input")
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


async def _cancel(client: Client, run: Run) -> None:
    if run.task and not run.is_over:
        try:
            await client.cancel_task(CancelTaskRequest(id=run.task))
        except _FAILURES as error:
            raise _failure("did not cancel its task", error) from None


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
