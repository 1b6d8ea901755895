"""`GET /v1/sessions/{id}/transcripts`: what was said to a session, read from its stream without a consumer."""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from vigil.contract import subjects
from vigil.contract.errors import InvalidMessage
from vigil.contract.events.envelope import decode_event
from vigil.contract.streams import TRANSCRIPTS
from vigil.core.hearing import Became, Origin
from vigil.core.session import SessionSpec
from vigil.runtime.bus.client import Bus
from vigil.runtime.process.logs import get_log
from vigil_gateway.api.models.base import Out
from vigil_gateway.ports import Key, PortsOf

log = get_log()

router = APIRouter(prefix="/v1/sessions/{session}/transcripts", tags=["speech"])

MAX_TRANSCRIPTS = 500
PAGE = 256
_WIDER = 4  # times as far back as the look before, where that did not find enough
_CLOCKS_DIFFER_US = 60_000_000  # of two servers; an earlier session of the same id ended an hour before, at least

Limit = Annotated[int, Query(ge=1, le=MAX_TRANSCRIPTS, description="At most so many")]
Before = Annotated[
    str | None, Query(pattern="^[0-9]{1,18}$", description="The `next` of an answer: what was said before these")
]


class TranscriptOut(Out):
    """Something that was said to the session, as it was understood in the end."""

    transcript: str = Field(description="Its id, which its live events have, too")
    text: str
    begin_time: datetime = Field(description="When it began, by the clock of the pictures")
    end_time: datetime
    confidence: float | None = Field(description="0 to 1; null where the recognizer tells none")
    language: str = Field(description="As BCP 47 writes it; empty where the recognizer tells none")
    origin: Origin = Field(description="Where it was heard")
    engine: str = Field(description="What recognized it")
    became: Became = Field(description="What became of it")
    command: str = Field(description="Id of the question or watch that it is; empty where it is none")
    emit_time: datetime


class TranscriptList(Out):
    """What was said to a session, newest first."""

    session: str
    transcripts: list[TranscriptOut]
    next: str | None = Field(description="Give it as `before` for what was said before these; null: there is nothing")


@dataclass(frozen=True, slots=True)
class _Found:
    """A transcript and its place in the stream."""

    place: int
    shown: TranscriptOut


@router.get("")
async def list_transcripts(ports: PortsOf, key: Key, limit: Limit = 100, before: Before = None) -> TranscriptList:
    """What was said to the session and what became of it, newest first. Transcripts are kept for a day, those of a
    session until an hour after it ended. What is being said now is told live."""
    spec = await ports.store.spec(key)
    found = await transcripts_before(ports.bus, spec, None if before is None else int(before), limit + 1)
    shown = found[:limit]
    return TranscriptList(
        session=key.session,
        transcripts=[transcript.shown for transcript in shown],
        next=str(shown[-1].place) if len(found) > limit else None,
    )


async def transcripts_before(bus: Bus, spec: SessionSpec, before: int | None, limit: int) -> list[_Found]:
    """The last `limit` transcripts before a place of the stream (None: its end), newest first. Raises `BusError`.

    The stream has those of all sessions, so it is looked through backwards, each time further until there are enough.
    """
    subject = subjects.transcript(spec.key)
    since = datetime.fromtimestamp(max(0, spec.created_us - _CLOCKS_DIFFER_US) / 1e6, UTC)
    first = await bus.stored(TRANSCRIPTS, subject, since, 1)
    if not first.messages:
        return []
    low, end = first.messages[0].sequence, before
    if end is None:
        end = await bus.last_sequence(TRANSCRIPTS, subject) + 1
    found: deque[_Found] = deque()
    span = limit
    while end > low and len(found) < limit:
        begin = max(low, end - span)
        found = await _between(bus, subject, begin, end, limit)
        if begin == low:
            break
        span *= _WIDER
    return list(reversed(found))


async def _between(bus: Bus, subject: str, begin: int, end: int, limit: int) -> deque[_Found]:
    """The last `limit` of those that are stored there."""
    found: deque[_Found] = deque(maxlen=limit)
    while begin < end:
        page = await bus.stored(TRANSCRIPTS, subject, begin, min(PAGE, end - begin))
        for message in page.messages:
            begin = message.sequence + 1
            if message.sequence < end and (shown := _read(message.payload)) is not None:
                found.append(_Found(message.sequence, shown))
        if not (page.messages and page.has_more):
            break
    return found


def _read(payload: bytes) -> TranscriptOut | None:
    """None for what cannot be read, which is logged."""
    try:
        data: Any = decode_event(payload).data
        return TranscriptOut.model_validate(data)
    except (InvalidMessage, ValueError) as error:
        log.warning("bus message rejected", subject="transcript", error=str(error)[:200])
        return None
