"""`GET /v1/audit`: what was recorded, for administrators."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BeforeValidator

from vigil.contract import subjects
from vigil.contract.api_keys import KeyRole
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.audit import AuditData, decode_audit
from vigil.contract.streams import AUDIT
from vigil.runtime.bus.client import Bus, StoredMessage
from vigil.runtime.process.logs import get_log
from vigil_gateway.api.auth import require
from vigil_gateway.api.models.audit import AuditEntry, AuditList
from vigil_gateway.api.models.base import no_number
from vigil_gateway.ports import Holder, PortsOf, taking

log = get_log()

router = APIRouter(prefix="/v1/audit", tags=["audit"])

USUAL_SINCE = timedelta(days=1)
MAX_ENTRIES = 1_000
PAGE = 1_000
MAX_READ = 20_000  # records that one request looks at, where most are of other actors

Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(no_number),
    Query(description="Records since then; when left out a day ago. They are kept for 90 days"),
]
Actor = Annotated[str | None, Query(max_length=256, description="Only records of this actor")]
Limit = Annotated[int, Query(ge=1, le=MAX_ENTRIES, description="At most so many")]
After = Annotated[
    str | None, Query(pattern="^[0-9]{1,18}$", description="The `next` of an answer: the records that come after it")
]


@router.get("", openapi_extra=taking(KeyRole.ADMIN))
async def list_audit(
    ports: PortsOf,
    holder: Holder,
    since: Since = None,
    actor: Actor = None,
    limit: Limit = 100,
    after: After = None,
) -> AuditList:
    """Who asked to change what, and what came of it, oldest first. Takes the role `admin`. A page may hold fewer
    records than `limit` and have a `next`, where an `actor` is asked for who did little."""
    require(holder, KeyRole.ADMIN)
    begin = since or datetime.now(UTC) - USUAL_SINCE if after is None else int(after) + 1
    return await read_audit(ports.bus, holder.tenant, begin, actor, limit)


async def read_audit(
    bus: Bus,
    tenant: str,
    begin: int | datetime,
    actor: str | None,
    limit: int,
    *,
    page_size: int = PAGE,
    most: int = MAX_READ,
) -> AuditList:
    """At most `limit` records of a tenant, out of at most `most` that are read. Raises `BusError`."""
    entries: list[AuditEntry] = []
    looked_at, last, has_more = 0, 0, True
    size = page_size if actor is not None else min(page_size, limit)
    while has_more and looked_at < most and len(entries) < limit:
        page = await bus.stored(AUDIT, subjects.audit(tenant), begin, size)
        has_more = page.has_more
        for message in page.messages:
            if len(entries) == limit:
                has_more = True
                break
            last, begin, looked_at = message.sequence, message.sequence + 1, looked_at + 1
            entries += _entries(message, actor)
        has_more = has_more and bool(page.messages)
    return AuditList(entries=entries, next=str(last) if has_more else None)


def _entries(message: StoredMessage, actor: str | None) -> Sequence[AuditEntry]:
    """The message's record; nothing when it cannot be read, or is of another actor than the one asked for."""
    try:
        record = decode_audit(message.payload)
    except InvalidMessage as error:
        log.warning("bus message rejected", subject=message.subject, error=str(error))
        return ()
    if actor not in (None, record.data.actor):
        return ()
    return (_shown(record.time, record.data),)


def _shown(time: str, data: AuditData) -> AuditEntry:
    told = {name: value for name, value in asdict(data).items() if name != "tenant"}
    return AuditEntry(time=datetime.fromisoformat(time), **told)
