"""Answers a session's signalling over NATS, one request after the other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.signalling import Refusal, Reply, Request, decode_request, encode_reply
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus, Message
from vigil.runtime.errors import BusError, BusUnavailable
from vigil.runtime.process.cancellation import to_the_end
from vigil.runtime.process.logs import get_log

log = get_log()

WAITING = 32  # requests; the oldest of more is let go, and whoever made it asks again
RETRY_S = 0.5
LET_GO = "the worker has just let the session go: try again, another one takes it"
QUEUE = "ingestion"  # while a session is handed over two workers listen: each request goes to one

Answer = Callable[[Request], Awaitable[Reply]]


async def answer_all(bus: Bus, key: SessionKey, answer: Answer) -> NoReturn:
    """Answer every request until cancelled; also after the connection to NATS was lost."""
    while True:
        await bus.connected()
        try:
            async with bus.subscribe(subjects.signalling(key), WAITING, queue=QUEUE) as requests:
                async for request in requests:
                    await _answer(bus, request, answer)
        except BusUnavailable as error:
            log.info("signalling lost", reason=str(error))
        await asyncio.sleep(RETRY_S)


async def _answer(bus: Bus, message: Message, answer: Answer) -> None:
    try:
        reply = await answer(decode_request(message.payload))
    except InvalidMessage as error:
        reply = Reply(refusal=Refusal.WRONG_OFFER, message=str(error))
    except asyncio.CancelledError:  # whoever asked must not wait for an answer that never comes
        await to_the_end(_send(bus, message, Reply(refusal=Refusal.BUSY, message=LET_GO)))
        raise
    await _send(bus, message, reply)


async def _send(bus: Bus, request: Message, reply: Reply) -> None:
    try:
        await bus.answer(request, encode_reply(reply))
    except BusError as error:
        log.warning("signalling not answered", reason=str(error))
