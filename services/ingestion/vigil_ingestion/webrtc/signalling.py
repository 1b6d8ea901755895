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
from vigil.runtime.process.logs import get_log

log = get_log()

WAITING = 32  # requests; the oldest of more is let go, and whoever made it asks again
RETRY_S = 0.5
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
    try:
        await bus.answer(message, encode_reply(reply))
    except BusError as error:
        log.warning("signalling not answered", reason=str(error))
