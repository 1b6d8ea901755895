"""Alerts and utterances straight from NATS, with nothing but nats-py: live, or from the past and on into the present.

    async for alert in alerts("nats://127.0.0.1:4222", tenant="demo", since=timedelta(hours=1)):
        print(alert.state, alert.text)

With `since`, events come from their stream through an ordered consumer: in order, none left out, and then live ones.
Without it they come as they are published. Either way the connection is kept up for ever.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from nats.aio.client import Client as Nats
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from vigil_client import cloudevents
from vigil_client.cloudevents import Alert, Utterance
from vigil_client.errors import BadSubject, ClientError, NotFound, Unreachable

__all__ = ["Alert", "Utterance", "alert_subject", "alerts", "messages", "subscribed", "utterance_subject", "utterances"]

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")

# A subject that everyone who may read Vigil's streams may ask.
_ANSWERED = "$JS.API.INFO"

CONNECT_S = 3.0
RECONNECT_S = 0.5
# How many events may wait for a slow reader; nats-py drops and reports those beyond.
PENDING_EVENTS = 8_192


def alert_subject(tenant: str = "*", source: str = "*") -> str:
    """The subject of alerts of one or every tenant and source."""
    return f"vigil.v1.alert.{_token(tenant, 'tenant')}.{_token(source, 'source')}.*"


def utterance_subject(tenant: str = "*", session: str = "*") -> str:
    """The subject of utterances of one or every tenant and session."""
    return f"vigil.v1.utterance.{_token(tenant, 'tenant')}.{_token(session, 'session')}"


def _token(value: str, what: str) -> str:
    """`value` when it may stand in a subject. Raises `BadSubject`."""
    if value != "*" and not _TOKEN.fullmatch(value):
        raise BadSubject(f"{what} {value[:80]!r} cannot be in a subject", "use letters, digits, '_' and '-', or '*'")
    return value


async def alerts(
    nats_url: str, tenant: str = "*", source: str = "*", since: timedelta | None = None
) -> AsyncIterator[Alert]:
    """Alert events, for ever. Raises `Unreachable`, or `BadMessage` for what is no alert."""
    async for payload in messages(nats_url, alert_subject(tenant, source), "ALERTS", since):
        yield cloudevents.alert(payload)


async def utterances(
    nats_url: str, tenant: str = "*", source: str = "*", since: timedelta | None = None
) -> AsyncIterator[Utterance]:
    """Utterances, for ever; `source` is compared with each event's source, which is not in the subject."""
    async for payload in messages(nats_url, utterance_subject(tenant), "UTTERANCES", since):
        said = cloudevents.utterance(payload)
        if source in ("*", said.source_id):
            yield said


async def messages(nats_url: str, subject: str, stream: str, since: timedelta | None = None) -> AsyncIterator[bytes]:
    """The payloads on `subject`, from `since` ago on when given, else from now on."""
    async with subscribed(nats_url, subject, stream, since) as received:
        async for payload in received:
            yield payload


@asynccontextmanager
async def subscribed(
    nats_url: str, subject: str, stream: str, since: timedelta | None = None
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Like `messages`, and once the block is entered nothing published from then on is missed."""
    connection = await _connect(nats_url)
    try:
        subscription = await _subscribe(connection, subject, stream, since)
        await _arrived(connection)
        yield _payloads(subscription)
    finally:
        await connection.close()


async def _arrived(connection: Nats) -> None:
    """Wait until the server has a subscription: it answers requests after all that was sent before.

    nats-py's flush will not do: its ping may overtake the subscription. Whether the answer is a refusal, or does not
    come because the user may not ask, is no matter: by then the subscription is there.
    """
    with contextlib.suppress(NatsError):
        await connection.request(_ANSWERED, timeout=CONNECT_S)


async def _payloads(subscription: Any) -> AsyncIterator[bytes]:
    async for message in subscription.messages:
        yield message.data


async def _subscribe(connection: Nats, subject: str, stream: str, since: timedelta | None) -> Any:
    if since is None:
        return await connection.subscribe(subject, pending_msgs_limit=PENDING_EVENTS)
    try:
        return await connection.jetstream().subscribe(
            subject,
            stream=stream,
            ordered_consumer=True,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.BY_START_TIME,
                opt_start_time=datetime.now(UTC) - since,
            ),
        )
    except NotFoundError:
        raise NotFound(f"NATS has no stream {stream}", "start Vigil once: its services declare the streams") from None
    except NatsError as error:
        raise ClientError(f"NATS does not give the stream {stream}: {error}", "check the user's permissions") from None


async def _connect(nats_url: str) -> Nats:
    """Connect, or raise `Unreachable` within `CONNECT_S`; once connected the client reconnects for ever."""
    faults: list[Exception] = []

    async def note(error: Exception) -> None:
        faults.append(error)

    connection = Nats()
    try:
        async with asyncio.timeout(CONNECT_S):
            await connection.connect(
                nats_url,
                name="vigil-client",
                error_cb=note,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RECONNECT_S,  # type: ignore[arg-type]  # it is slept, as a float
            )
    except (NatsError, OSError, TimeoutError, ValueError) as error:
        await connection.close()
        why = str(error) or _telling(faults)
        raise Unreachable(
            f"NATS at {nats_url.rpartition('@')[2]} cannot be used: {why}",
            "start Vigil with `vigil up`, or give another --nats",
        ) from None
    return connection


def _telling(faults: Sequence[Exception]) -> str:
    """The last fault that the server gave itself, else the last one.

    A server that refuses a password closes at once, and its reset may overtake the reason that it gave.
    """
    said = [fault for fault in faults if isinstance(fault, NatsError)] or faults
    return (str(said[-1]) or type(said[-1]).__name__) if said else "no answer"
