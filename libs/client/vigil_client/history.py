"""Past events, asked for of the gateway over NATS: a user that may only read has no right to read streams itself."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from vigil_client.errors import BadSubject, ClientError, Unreachable
from vigil_client.nats_connection import Connection, next_message

# How long the next message of an answer may take, and how many unanswered requests end the first one.
ANSWER_S = 3.0
TRIES = 3
RETRY_S = 0.5
_END, _SEQUENCE, _MESSAGE_ID = "Vigil-End", "Vigil-Sequence", "Nats-Msg-Id"


@dataclass(frozen=True, slots=True)
class PastEvent:
    """A stored event, and the id under which it was also published live."""

    payload: bytes
    id: str


class History:
    """The stored events on one subject: those since a time, and then each time those that have come since."""

    def __init__(self, connection: Connection, subject: str, since: timedelta) -> None:
        self._connection = connection
        self._subject = subject
        self._tenant = _tenant_of(subject)
        self._begin: dict[str, object] = {"since": (datetime.now(UTC) - since).isoformat()}
        self._answered = False

    async def more(self) -> AsyncIterator[PastEvent]:
        """The events that have not been given yet, oldest first. Raises `Unreachable` when nobody has ever answered,
        `ClientError` for what is refused."""
        failures = 0
        while True:
            end = ""
            async for message in self._page():
                headers = message.headers or {}
                end = headers.get(_END, "")
                if end:
                    break
                self._begin = {"after": int(headers[_SEQUENCE])}
                yield PastEvent(message.data, headers.get(_MESSAGE_ID, ""))
            if end == "refused":
                raise ClientError(f"the gateway refuses: {message.data.decode(errors='replace')[:300]}", "ask for less")
            if end:
                if failures:
                    self._connection.told("")
                failures, self._answered = 0, True
                if end != "more":
                    return
            else:
                failures += 1
                await self._check(failures)

    async def _page(self) -> AsyncIterator[Msg]:
        """Ask once; the messages of the answer, until they stop."""
        asker = secrets.token_hex(12)
        client = self._connection.client
        try:
            answers = await client.subscribe(f"vigil.v1.history.answer.{self._tenant}.{asker}")
            asked = {"subject": self._subject, "asker": asker, **self._begin}
            await client.publish(f"vigil.v1.history.ask.{self._tenant}", json.dumps(asked).encode())
        except (NatsError, OSError):
            return
        try:
            while message := await next_message(answers, ANSWER_S):
                yield message
        finally:
            await _unsubscribed(answers)

    async def _check(self, failures: int) -> None:
        self._connection.check_open()
        why = "nobody answers a request for past events"
        self._connection.told(why)
        if failures >= TRIES and not self._answered:
            raise Unreachable(why, "check that Vigil's gateway runs, and that this user may ask for this tenant's")
        await asyncio.sleep(RETRY_S)


async def _unsubscribed(answers: Subscription) -> None:
    with contextlib.suppress(NatsError, OSError):
        await answers.unsubscribe()


def _tenant_of(subject: str) -> str:
    """The tenant in a subject of events. Raises `BadSubject`."""
    tokens = subject.split(".")
    place = 4 if tokens[2:3] in (["session"], ["delegation"], ["approval"], ["memory"]) else 3
    tenant = tokens[place] if len(tokens) > place else "*"
    if tenant in ("*", ">"):
        raise BadSubject("past events are those of one tenant", "name the tenant (--tenant)")
    return tenant
