"""From seeing to acting: has Vigil watch a camera (A2A), and writes a ticket for each alert that a person grants.

What the model said goes into the ticket as a quotation, and decides nothing: it may be what somebody held before the
camera. Only the person at the terminal grants a ticket; who does not answer in time has refused it.
"""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError
from a2a.types.a2a_pb2 import (
    Artifact,
    CancelTaskRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    TaskState,
)
from a2a.utils.errors import A2AError
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value

from vigil_client.endpoints import DATA_DIR, find

WORDS = "Alert me when a fire starts."
APPROVAL_S = 60.0
AGAIN_S = 2.0
_BROKEN = (A2AError, A2AClientError, httpx.HTTPError)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One ticket. `key` is the alert's id: the same alert never makes two."""

    key: str
    title: str
    body: str


def ticket_of(artifact: Artifact) -> Ticket | None:
    """The ticket for an alert that has just opened; None for its other events."""
    alert: Mapping[str, Any] = next((MessageToDict(part.data) for part in artifact.parts if part.HasField("data")), {})
    if alert.get("state") != "opened":
        return None
    camera = alert.get("source_name") or alert.get("source_id")
    body = f"The model said: {alert.get('text')!r}. Picture: {(alert.get('snapshot') or {}).get('path', 'none')}"
    return Ticket(artifact.artifact_id, f"{alert.get('watch')} at {camera} ({alert.get('severity')})", body)


async def is_granted(ticket: Ticket, person: asyncio.StreamReader) -> bool:
    """Ask the person at the terminal; no answer, or any but `y`, refuses."""
    say(f"\nwrite a ticket {ticket.title!r}?\n  {ticket.body}\n[y/N] ")
    try:
        async with asyncio.timeout(APPROVAL_S):
            answer = await person.readline()
    except TimeoutError:
        answer = b""
    granted = answer.strip().lower() == b"y"
    say("granted\n" if granted else "refused\n")
    return granted


async def terminal() -> asyncio.StreamReader:
    """What the person at the terminal types."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def write(http: httpx.AsyncClient, desk: str, ticket: Ticket) -> None:
    """Write the ticket; to repeat it changes nothing."""
    body = {"title": ticket.title, "body": ticket.body}
    answer = await http.post(desk, json=body, headers={"Idempotency-Key": ticket.key})
    answer.raise_for_status()
    say(f"written: {ticket.title}\n")


async def updates(client: Client, camera: Mapping[str, Any]) -> AsyncGenerator[StreamResponse]:
    """Begin the task and follow it, also when the gateway is restarted; cancel it at the end."""
    parts = [Part(text=WORDS), Part(data=ParseDict(dict(camera), Value()))]
    message = Message(message_id=str(uuid4()), role=Role.ROLE_USER, parts=parts)
    task = ""
    stream = client.send_message(SendMessageRequest(message=message))
    try:
        while True:
            try:
                async for update in stream:
                    task = task or update.task.id
                    yield update
                    if is_over(update):
                        return
            except _BROKEN as error:
                if not task:
                    raise
                say(f"the stream broke ({error}): following the task again\n")
            await asyncio.sleep(AGAIN_S)
            stream = client.subscribe(SubscribeToTaskRequest(id=task))
    finally:
        if task:
            with contextlib.suppress(*_BROKEN):  # it may be over, or the gateway may be away
                await client.cancel_task(CancelTaskRequest(id=task))


def is_over(update: StreamResponse) -> bool:
    """Whether nothing follows this update; where Vigil asks for something, it is told."""
    status = update.task.status if update.HasField("task") else update.status_update.status
    if status.state == TaskState.TASK_STATE_INPUT_REQUIRED:
        say(f"Vigil cannot watch: {status.message.parts[0].text}\n")
    return status.state in (
        TaskState.TASK_STATE_INPUT_REQUIRED,
        TaskState.TASK_STATE_COMPLETED,
        TaskState.TASK_STATE_CANCELED,
        TaskState.TASK_STATE_FAILED,
    )


async def run(gateway: str, key: str, camera: Mapping[str, Any], desk: str) -> None:
    """Watch, ask, write, until the task is over."""
    headers = {"Authorization": f"Bearer {key}"}
    person = await terminal()
    async with (
        httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(30, read=None)) as http,
        httpx.AsyncClient() as to_desk,
    ):
        client = await ClientFactory(ClientConfig(httpx_client=http)).create_from_url(gateway)
        async with contextlib.aclosing(updates(client, camera)) as found:
            async for update in found:
                if update.HasField("task"):
                    say(f"Vigil watches: {WORDS} (task {update.task.id})\n")
                elif update.HasField("artifact_update"):
                    ticket = ticket_of(update.artifact_update.artifact)
                    if ticket is not None and await is_granted(ticket, person):
                        await write(to_desk, desk, ticket)


def say(text: str) -> None:
    """For the person at the terminal."""
    sys.stdout.write(text)
    sys.stdout.flush()


def main() -> None:
    """Run until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--camera", default="", help="address of a camera; default: the video of make demo, in a loop")
    parser.add_argument("--desk", default="http://127.0.0.1:8099/tickets", help="webhook that takes tickets")
    parser.add_argument("--gateway", default="", help="default: the Vigil that runs from this directory")
    parser.add_argument("--key", default="", help="API key of the role operator; default: that Vigil's")
    given = parser.parse_args()
    gateway, key, camera = given.gateway, given.key, {"url": given.camera, "id": "example"}
    if not (gateway and key):
        here = find(DATA_DIR)
        gateway, key = here.gateway_url, here.api_key
    if not given.camera:
        camera = {"url": (DATA_DIR / "demo.mp4").resolve().as_uri(), "id": "example", "loop": True}
    try:
        asyncio.run(run(gateway, key, {"source": camera, "name": "fire", "severity": "critical"}, given.desk))
    except KeyboardInterrupt:
        say("\nstopped: the watch has ended with its task\n")


if __name__ == "__main__":
    main()
