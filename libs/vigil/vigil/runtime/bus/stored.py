"""Stored messages, read without a consumer: nothing is made in JetStream, so nothing can be left behind or taken."""

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from vigil.contract.streams import StreamSpec
from vigil.runtime.errors import BusUnavailable

MAX_BYTES = 1 << 20
MAX_NEWEST = 1_024  # the server gives no more in one answer
_END, _NONE = "204", "404"
_NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message of a stream, as it was published there."""

    subject: str
    payload: bytes
    sequence: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    """Messages in the order in which they were stored; `has_more`: others come after them."""

    messages: tuple[StoredMessage, ...]
    has_more: bool


async def read(
    client: Client, stream: StreamSpec, filter_subject: str, begin: int | datetime, limit: int, timeout_s: float
) -> Page:
    """The stored messages from a sequence or a time on: at most `limit`, and about `MAX_BYTES`.

    Raises nats-py's errors, `TimeoutError`, and `BusUnavailable` for what the server refuses.
    """
    asked = {"next_by_subj": filter_subject, "batch": limit, "max_bytes": MAX_BYTES} | _begin(begin)
    return await _answers(client, stream, asked, timeout_s)


async def read_newest(
    client: Client, stream: StreamSpec, filters: Sequence[str], timeout_s: float
) -> tuple[StoredMessage, ...]:
    """The newest stored message of each subject that one of these filters names; of at most `MAX_NEWEST` subjects.

    Raises what `read` raises.
    """
    return (await _answers(client, stream, {"multi_last": list(filters)}, timeout_s)).messages


async def _answers(client: Client, stream: StreamSpec, asked: Mapping[str, object], timeout_s: float) -> Page:
    inbox = await client.subscribe(client.new_inbox())
    found: list[StoredMessage] = []
    try:
        async with asyncio.timeout(timeout_s):
            await client.publish(f"$JS.API.DIRECT.GET.{stream.name}", json.dumps(asked).encode(), reply=inbox.subject)
            async for message in inbox.messages:
                headers = message.headers or _NO_HEADERS
                if status := headers.get("Status"):
                    return Page(tuple(found), _has_more(status, headers))
                found.append(_stored(message, headers))
    finally:
        with contextlib.suppress(NatsError, OSError):
            await inbox.unsubscribe()
    raise BusUnavailable("the subscription ended")


def _begin(begin: int | datetime) -> dict[str, object]:
    return {"start_time": begin.isoformat()} if isinstance(begin, datetime) else {"seq": max(begin, 1)}


def _has_more(status: str, headers: Mapping[str, str]) -> bool:
    if status == _NONE:
        return False
    if status != _END:
        raise BusUnavailable(f"the server refuses to read: {status} {headers.get('Description', '')}")
    return int(headers.get("Nats-Num-Pending", "0")) > 0


def _stored(message: Msg, headers: Mapping[str, str]) -> StoredMessage:
    return StoredMessage(headers["Nats-Subject"], message.data, int(headers["Nats-Sequence"]), dict(headers))


async def last_sequence(client: Client, stream: StreamSpec, filter_subject: str, timeout_s: float) -> int:
    """The sequence of the newest stored message on a subject, which may hold wildcards; 0 when there is none.

    Raises what `read` raises.
    """
    asked = json.dumps({"last_by_subj": filter_subject}).encode()
    answer = await client.request(f"$JS.API.DIRECT.GET.{stream.name}", asked, timeout=timeout_s)
    headers = answer.headers or _NO_HEADERS
    if status := headers.get("Status"):
        return int(_has_more(status, headers))
    return int(headers["Nats-Sequence"])
