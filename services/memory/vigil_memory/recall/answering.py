"""Answers questions about the past over NATS. Of several memory workers one answers each."""

import asyncio
from typing import NoReturn, Protocol

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage, InvalidSubject
from vigil.contract.subject_tokens import Kind
from vigil.contract.subject_values import SessionSubject, parse
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError, BusUnavailable, StoreError
from vigil.runtime.process.logs import get_log
from vigil.v1 import memory_pb2 as pb
from vigil_memory.recall import metrics

log = get_log()

WAITING = 64  # questions; the oldest of more is let go: whoever asked it waits no more
ANSWERING = 8  # questions in hand at once
RETRY_S = 0.5
QUEUE = "memory"


class Recaller(Protocol):
    """Finds what the memory of a session holds about a question."""

    async def recall(self, request: pb.RecallRequest) -> pb.RecallResponse:
        """Raises `InvalidMessage` and `StoreError`."""
        ...


async def answer_recalls(bus: Bus, recaller: Recaller) -> NoReturn:
    """Answer until cancelled, also after the connection to NATS was lost.

    A question that cannot be answered gets no answer: nobody may take that for a memory that holds nothing.
    """
    while True:
        await bus.connected()
        try:
            async with bus.subscribe(subjects.ALL_MEMORY_RECALLS, WAITING, queue=QUEUE) as asked:
                await _answer_all(bus, recaller, asked)
        except BusUnavailable as error:
            log.warning("recalls not answered", reason=str(error))
        await asyncio.sleep(RETRY_S)


async def _answer_all(bus: Bus, recaller: Recaller, asked: KeepLatest[Message]) -> None:
    places = asyncio.Semaphore(ANSWERING)
    answering: set[asyncio.Task[None]] = set()
    try:
        async for message, dropped in asked.counted():
            metrics.RECALLS.labels("dropped").inc(dropped)
            await places.acquire()
            task = asyncio.create_task(_answer(bus, recaller, message))
            answering.add(task)
            task.add_done_callback(answering.discard)
            task.add_done_callback(lambda _: places.release())
    finally:
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)


async def _answer(bus: Bus, recaller: Recaller, message: Message) -> None:
    try:
        found = await recaller.recall(read(message.subject, message.payload))
        await bus.answer(message, found.SerializeToString())
    except (InvalidMessage, StoreError, BusError) as error:
        log.warning("recall not answered", subject=message.subject, reason=str(error))


def read(subject: str, payload: bytes) -> pb.RecallRequest:
    """The request of a message. Raises `InvalidMessage` also when it names another session than its subject."""
    try:
        request = pb.RecallRequest.FromString(payload)
        about = parse(subject)
    except (DecodeError, InvalidSubject) as error:
        raise InvalidMessage(f"no question about the past: {error}") from None
    if not isinstance(about, SessionSubject) or about.kind is not Kind.MEMORY_RECALL:
        raise InvalidMessage("no question about the past: it came on another subject")
    if (request.tenant, request.session) != (about.key.tenant, about.key.session):
        raise InvalidMessage("a question names another session than its subject")
    return request
