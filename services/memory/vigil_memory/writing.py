"""Has a summariser write one block: with the pictures that are left, within its time, its text checked."""

import asyncio
import time

from vigil.contract import spans
from vigil.core.errors import CoreError
from vigil.core.memory import Block, MemoryRequest, RequestKind
from vigil.core.profile import profile
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import span
from vigil.runtime.store.sessions import SessionStore
from vigil_memory import metrics
from vigil_memory.block_text import Useless, block_text
from vigil_memory.ports import Ports
from vigil_memory.summarisers.port import Picture, SpanGone, SummariserError, SummaryTask

log = get_log()


async def written(ports: Ports, request: MemoryRequest) -> Block:
    """The block, by one try of the summariser. Raises `SummariserError`, counted, `SpanGone`, for which no summariser
    was asked, and `StoreError`."""
    about = {
        spans.TENANT: request.tenant,
        spans.SESSION: request.session,
        spans.SOURCE: request.source_id,
        spans.BLOCK: request.id,
    }
    left_s = (request.expires_us - ports.now_us()) / 1e6
    with span(spans.SUMMARISE, about):
        try:
            return await _written(ports, request, max(0.1, min(ports.deadline_s, left_s)))
        except SpanGone:
            raise
        except SummariserError as error:
            metrics.FAILURES.labels(error.kind).inc()
            raise


async def _written(ports: Ports, request: MemoryRequest, deadline_s: float) -> Block:
    task = SummaryTask(request, await pictures(ports.sessions, request), deadline_s)
    if request.kind is RequestKind.SUMMARY and not (task.pictures or request.replies or request.asked):
        raise SpanGone
    began_s = time.monotonic()
    raw = await _asked(ports, task)
    metrics.WRITE_SECONDS.labels(request.kind).observe(time.monotonic() - began_s)
    try:
        return request.block(block_text(raw, profile(request.profile).spelling, request.max_tokens))
    except Useless as error:
        raise SummariserError(str(error), error.kind) from None
    except CoreError as error:
        raise SummariserError(str(error), "invalid") from None


async def _asked(ports: Ports, task: SummaryTask) -> str:
    try:
        async with asyncio.timeout(task.deadline_s):
            return await ports.summariser.write(task)
    except TimeoutError:
        raise SummariserError(f"the summariser did not answer within {task.deadline_s:g} s", "timeout") from None
    except CoreError as error:  # a profile that this release does not know
        raise SummariserError(str(error), "failed", is_transient=False) from None
    except SummariserError:
        raise
    except Exception as error:  # whatever an adapter raises, it costs this block and not the worker
        log.exception("summariser failed unexpectedly", session=task.request.session, block=task.request.id)
        raise SummariserError(f"the summariser failed: {type(error).__name__}", "failed") from error


async def pictures(store: SessionStore, request: MemoryRequest) -> tuple[Picture, ...]:
    """The pictures of the request that the store still has, oldest first. Raises `StoreError`."""
    found = await store.frames(request.key, [frame.uuid for frame in request.frames])
    return tuple(
        Picture(frame.uuid, frame.time_ms, found[frame.uuid]) for frame in request.frames if frame.uuid in found
    )
