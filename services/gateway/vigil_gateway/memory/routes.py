"""A session's memory: shown tier by tier, with its archive and pictures, and asked about the past."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from vigil.contract.api_keys import KeyRole
from vigil.core.ids import SessionKey
from vigil.runtime.errors import SessionEnded
from vigil_gateway.alerts.snapshots import JPEG
from vigil_gateway.api.errors import MemoryFrameGone
from vigil_gateway.api.models.memory import ArchivePage, MemoryOut, RecallIn, RecallOut
from vigil_gateway.memory.recalling import recalled
from vigil_gateway.memory.time_zones import check_zone
from vigil_gateway.memory.views import archive_page, memory_out, recall_out
from vigil_gateway.ports import Key, Ports, PortsOf, taking

MAX_ENTRIES = 200

router = APIRouter(prefix="/v1/sessions/{session}/memory", tags=["memory"])

FrameId = Annotated[str, Path(max_length=128, description="The `id` of a picture of the memory")]
Limit = Annotated[int, Query(ge=1, le=MAX_ENTRIES, description="At most so many entries, the newest ones")]
Before = Annotated[
    str, Query(max_length=64, pattern=r"^(\d{1,15}-[0-9a-z-]{1,40})?$", description="The `next` of another page")
]


@router.get("")
async def show_memory(ports: PortsOf, key: Key) -> MemoryOut:
    """What the session's prompt holds of the time before its turns, tier by tier, and what is not written yet."""
    spec = await ports.store.spec(key)
    state = await ports.store.history(key)
    return memory_out(spec, state, await origin_us(ports, key, state.last_time_ms))


@router.get("/archive")
async def list_archive(ports: PortsOf, key: Key, limit: Limit = 50, before: Before = "") -> ArchivePage:
    """Summaries as they were written and questions that were answered, newest first: what a question about the past is
    answered from. The last 2,000 are kept, until the session's end is an hour ago."""
    await ports.store.spec(key)
    archive = await ports.store.archive(key)
    return await asyncio.to_thread(archive_page, key.session, archive, before, limit)


@router.get(
    "/frames/{frame}",
    response_class=Response,
    responses={200: {"description": "The picture", "content": {JPEG: {}}}},
)
async def show_memory_frame(ports: PortsOf, key: Key, frame: FrameId) -> Response:
    """A picture that the memory names: as the model saw it, or smaller where its span has been summarised."""
    await ports.store.spec(key)
    jpeg = await picture_of(ports, key, frame)
    if jpeg is None:
        raise MemoryFrameGone(frame)
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
    return Response(jpeg, media_type=JPEG, headers=headers)


@router.post("/recall", openapi_extra=taking(KeyRole.VIEWER))
async def recall_memory(ports: PortsOf, key: Key, body: RecallIn) -> RecallOut:
    """What the memory holds about a question: summaries and answers of then, with their times and pictures. The model
    is not asked. 503 `memory_unavailable` when no memory service answers within 2 s."""
    check_zone("time_zone", body.time_zone)
    await ports.store.spec(key)
    if await ports.store.ended(key) is not None:
        raise SessionEnded(key, f"the session {key.session} has ended, and what it remembered is gone")
    state = await ports.store.history(key)
    origin = await origin_us(ports, key, state.last_time_ms)
    return recall_out(key.session, body, await recalled(ports, key, state, origin, body), origin)


async def origin_us(ports: Ports, key: SessionKey, last_time_ms: int) -> int:
    """When model time 0 was, in microseconds since the epoch; 0 before the first turn."""
    until_us = await ports.store.watched_until_us(key) if last_time_ms >= 0 else 0
    return max(0, until_us - last_time_ms * 1_000) if until_us else 0


async def picture_of(ports: Ports, key: SessionKey, uuid: str) -> bytes | None:
    """A picture of the memory: of the chunk or an unwritten span, else the smaller one of the archive."""
    found = (await ports.store.frames(key, [uuid])).get(uuid)
    if found is not None:
        return found
    kept = [frame for frame in (await ports.store.archive(key)).key_frames if frame.uuid == uuid]
    return (await ports.store.key_frames(key, kept)).get(uuid)
