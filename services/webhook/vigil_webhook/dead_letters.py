"""What the bridge gave up on, listed for the operator: when, for whom, why. The events stay in the stream."""

import time
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import decode_event
from vigil.contract.streams import DEAD_LETTERS
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import BusError
from vigil_webhook.courier import ORIGIN

SHOWN = 100
PAGE = 1_000
PATH = "/dead-letters"
_TOLD = ("recipient", "reason", "attempts", "stream", "sequence", "subject")

Answer = Callable[[web.Request], Awaitable[web.Response]]


def listing(bus: Bus) -> Answer:
    """Answers with the newest dead letters, oldest first, at most `SHOWN`; 503 while NATS is away."""

    async def answer(_: web.Request) -> web.Response:
        try:
            found = await newest(bus)
        except BusError as error:
            return web.json_response({"detail": str(error)}, status=503)
        return web.json_response({"dead_letters": found})

    return answer


async def newest(bus: Bus) -> list[dict[str, Any]]:
    """The newest dead letters of this service, without what was in them. Raises `BusError`."""
    found: deque[dict[str, Any]] = deque(maxlen=SHOWN)
    begin: int | datetime = datetime.fromtimestamp(time.time() - DEAD_LETTERS.max_age_s, UTC)
    has_more = True
    while has_more:
        page = await bus.stored(DEAD_LETTERS, subjects.dead_letters(ORIGIN), begin, PAGE)
        for message in page.messages:
            begin = message.sequence + 1
            found.extend(_told(message.payload))
        has_more = page.has_more and bool(page.messages)
    return list(found)


def _told(payload: bytes) -> list[dict[str, Any]]:
    """A dead letter's part of the list; nothing for what cannot be read."""
    try:
        letter = decode_event(payload)
    except InvalidMessage:
        return []
    data = letter.data if isinstance(letter.data, dict) else {}
    event = data.get("event")
    event_id = event.get("id", "") if isinstance(event, dict) else ""
    return [{"time": letter.time, "event_id": event_id} | {name: data.get(name) for name in _TOLD}]
