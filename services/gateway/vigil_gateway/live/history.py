"""Past events for downstream systems on NATS, which have no right to read streams themselves (vigil.contract.history).

An answer goes to a subject of its tenant that holds answers only; the sender's reply subject is never written to.

Requests come over a connection of their own. NATS limits no sender's rate, so one tenant could send more than this
process can read: NATS would close the connection, and were it the gateway's only one, cut everybody's live events.
While too many come the connection is closed, for then NATS itself throws them away.
"""

import asyncio
import contextlib
import time
from collections import Counter
from typing import NoReturn

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage, InvalidSubject
from vigil.contract.history import END, SEQUENCE, SUBJECT, End, asker_of, decode_request
from vigil.contract.streams import stream_of
from vigil.runtime.bus.client import Bus, BusConfig, Message, Page
from vigil.runtime.channel import KeepLatest
from vigil.runtime.errors import BusError
from vigil.runtime.process.logs import get_log
from vigil_gateway import metrics

log = get_log()

# Requests that wait, and those of a tenant that are answered at once. What is beyond is dropped and counted: whoever
# asked asks again.
WAITING = 256
AT_ONCE = 2
RETRY_S = 0.5
# So many requests within a second are more than all askers send who wait for their answers.
FLOOD = 1_000
REST_S = 2.0
_MESSAGE_ID = "Nats-Msg-Id"


class Flooded(Exception):
    """More requests came within a second than are read."""


async def answer_history(config: BusConfig) -> NoReturn:
    """Answer for ever; of several gateways one answers each request."""
    while True:
        rest_s = RETRY_S
        try:
            async with Bus.connect(config) as bus:
                await bus.connected()
                async with bus.subscribe(subjects.ALL_HISTORY_ASKED, WAITING, queue="gateway") as asked:
                    await _answer_all(bus, asked)
        except* BusError as errors:
            log.warning("history not answered", reason=str(errors.exceptions[0]))
        except* Flooded:
            rest_s = REST_S
            metrics.HISTORY_FLOODS.inc()
            log.warning("history requests flooded", rest_s=REST_S)
        await asyncio.sleep(rest_s)


async def _answer_all(bus: Bus, asked: KeepLatest[Message]) -> None:
    answering: Counter[str] = Counter()
    second, count = 0, 0
    async with asyncio.TaskGroup() as tasks:
        async for message, dropped in asked.counted():
            metrics.HISTORY.labels("dropped").inc(dropped)
            if second != (second := int(time.monotonic())):
                count = 0
            count += 1 + dropped
            if count > FLOOD:
                raise Flooded
            _begin(bus, message, answering, tasks)


def _begin(bus: Bus, message: Message, answering: Counter[str], tasks: asyncio.TaskGroup) -> None:
    tenant = message.subject.rpartition(".")[2]
    if answering[tenant] >= AT_ONCE:
        metrics.HISTORY.labels("dropped").inc()
        return
    answering[tenant] += 1

    def ended(_: object) -> None:
        answering[tenant] -= 1
        if not answering[tenant]:
            del answering[tenant]

    tasks.create_task(_answer(bus, tenant, message.payload)).add_done_callback(ended)


async def _answer(bus: Bus, tenant: str, payload: bytes) -> None:
    try:
        request = decode_request(tenant, payload)
        page = await bus.stored(stream_of(request.subject), request.subject, request.begin, request.limit)
        await _send(bus, subjects.history_answers(tenant, request.asker), page)
        metrics.HISTORY.labels("answered").inc()
    except InvalidMessage as error:
        metrics.HISTORY.labels("refused").inc()
        await _refuse(bus, tenant, asker_of(payload), str(error))
    except (BusError, InvalidSubject) as error:
        metrics.HISTORY.labels("failed").inc()
        log.warning("history not answered", tenant=tenant, reason=str(error)[:200])


async def _refuse(bus: Bus, tenant: str, asker: str | None, reason: str) -> None:
    log.warning("history request refused", tenant=tenant, reason=reason[:200])
    if asker is not None:
        with contextlib.suppress(BusError):
            await bus.publish(subjects.history_answers(tenant, asker), reason.encode(), {END: End.REFUSED})


async def _send(bus: Bus, answers: str, page: Page) -> None:
    for message in page.messages:
        headers = {
            SUBJECT: message.subject,
            SEQUENCE: str(message.sequence),
            _MESSAGE_ID: message.headers.get(_MESSAGE_ID, ""),
        }
        await bus.publish(answers, message.payload, headers)
    await bus.publish(answers, b"", {END: End.MORE if page.has_more else End.DONE})
