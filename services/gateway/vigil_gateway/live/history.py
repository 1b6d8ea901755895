"""Past events for downstream systems on NATS, which have no right to read streams themselves (vigil.contract.history).

An answer goes to a subject of its tenant that holds answers only; the sender's reply subject is never written to.
"""

import asyncio
import contextlib
from collections import Counter

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage, InvalidSubject
from vigil.contract.history import END, SEQUENCE, SUBJECT, End, asker_of, decode_request
from vigil.contract.streams import stream_of
from vigil.runtime.bus.client import Bus, Message, Page
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
_MESSAGE_ID = "Nats-Msg-Id"


async def answer_history(bus: Bus) -> None:
    """Answer for ever; of several gateways one answers each request."""
    while True:
        try:
            await bus.connected()
            async with bus.subscribe(subjects.ALL_HISTORY_ASKED, WAITING, queue="gateway") as asked:
                await _answer_all(bus, asked)
        except* BusError as errors:
            log.warning("history not answered", reason=str(errors.exceptions[0]))
        await asyncio.sleep(RETRY_S)


async def _answer_all(bus: Bus, asked: KeepLatest[Message]) -> None:
    answering: Counter[str] = Counter()
    async with asyncio.TaskGroup() as tasks:
        async for message, dropped in asked.counted():
            metrics.HISTORY.labels("dropped").inc(dropped)
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
