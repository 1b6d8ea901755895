"""Alerts and utterances straight from NATS, with nothing but nats-py: live, or from the past and on into the present.

    async for alert in alerts("nats://127.0.0.1:4222", tenant="demo", since=timedelta(hours=1)):
        print(alert.state, alert.text)

Without `since`, events come as they are published. With it, stored events come first, in order; then live ones, and
whenever the connection was lost, those that were stored meanwhile: none is left out. Either way the connection is kept
up for ever, also while NATS does not let its user in. `ca_file` is the PEM file of the authorities that vouch for a
`tls://` server; empty: the system's.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from vigil_client import cloudevents
from vigil_client.cloudevents import Alert, Utterance
from vigil_client.errors import BadMessage, BadSubject
from vigil_client.feed import Feed
from vigil_client.history import History
from vigil_client.nats_connection import OnFault, connected

__all__ = [
    "Alert",
    "Utterance",
    "alert_subject",
    "alerts",
    "messages",
    "speech_subject",
    "subscribed",
    "transcript_subject",
    "utterance_subject",
    "utterances",
]

TENANT = "demo"  # that of `vigil up`, whose user needs no password
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def alert_subject(tenant: str = TENANT, source: str = "*") -> str:
    """The subject of a tenant's alerts, of one or every source. `*` for the tenant is for the NATS user `operator`."""
    return f"vigil.v1.alert.{_token(tenant, 'tenant')}.{_token(source, 'source')}.*"


def utterance_subject(tenant: str = TENANT, session: str = "*") -> str:
    """The subject of a tenant's utterances, of one or every session."""
    return f"vigil.v1.utterance.{_token(tenant, 'tenant')}.{_token(session, 'session')}"


def transcript_subject(tenant: str = TENANT, session: str = "*") -> str:
    """The subject of what was said to a tenant's sessions; partial transcripts are told by the gateway alone."""
    return f"vigil.v1.transcript.final.{_token(tenant, 'tenant')}.{_token(session, 'session')}"


def speech_subject(tenant: str = TENANT, session: str = "*") -> str:
    """The subject of what a tenant's sessions spoke aloud."""
    return f"vigil.v1.speech.*.{_token(tenant, 'tenant')}.{_token(session, 'session')}"


def _token(value: str, what: str) -> str:
    """`value` when it may stand in a subject. Raises `BadSubject`."""
    if value != "*" and not _TOKEN.fullmatch(value):
        raise BadSubject(f"{what} {value[:80]!r} cannot be in a subject", "use letters, digits, '_' and '-', or '*'")
    return value


def _ignored(_: str) -> None:
    """Ignore a fault: nobody listens for faults."""


async def alerts(
    nats_url: str,
    tenant: str = TENANT,
    source: str = "*",
    since: timedelta | None = None,
    on_fault: OnFault = _ignored,
    ca_file: str = "",
) -> AsyncIterator[Alert]:
    """Alert events, for ever; a message that is no alert is left out, and `on_fault` is told. Raises `Unreachable`."""
    async for payload in messages(nats_url, alert_subject(tenant, source), since, on_fault, ca_file):
        try:
            yield cloudevents.alert(payload)
        except BadMessage as error:
            on_fault(f"left out: {error.message}")


async def utterances(
    nats_url: str,
    tenant: str = TENANT,
    source: str = "*",
    since: timedelta | None = None,
    on_fault: OnFault = _ignored,
    ca_file: str = "",
) -> AsyncIterator[Utterance]:
    """Utterances, for ever; `source` is compared with each event's source, which is not in the subject."""
    async for payload in messages(nats_url, utterance_subject(tenant), since, on_fault, ca_file):
        with contextlib.suppress(BadMessage):
            said = cloudevents.utterance(payload)
            if source in ("*", said.source_id):
                yield said


async def messages(
    nats_url: str,
    subject: str,
    since: timedelta | None = None,
    on_fault: OnFault = _ignored,
    ca_file: str = "",
) -> AsyncIterator[bytes]:
    """The payloads on `subject`, from `since` ago on when given, else from now on."""
    async with subscribed(nats_url, subject, since, on_fault, ca_file) as received:
        async for payload in received:
            yield payload


@asynccontextmanager
async def subscribed(
    nats_url: str,
    subject: str,
    since: timedelta | None = None,
    on_fault: OnFault = _ignored,
    ca_file: str = "",
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Like `messages`, and once the block is entered nothing published from then on is missed.

    `on_fault` is told in words what goes wrong while the connection is kept up, and "" when the fault has ended. Raises
    `Unreachable`, `NotAdmitted`, `ClientError` for what this user may not read, `BadSubject` for the past of every
    tenant at once.
    """
    async with connected(nats_url, on_fault, ca_file) as connection:
        history = History(connection, subject, since) if since is not None else None
        feed = Feed(connection, history)
        await feed.open(subject)
        yield feed.payloads()
