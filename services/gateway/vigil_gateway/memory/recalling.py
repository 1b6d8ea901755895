"""Asks a memory worker what a session's memory holds about a question, over the bus."""

from vigil.core.ids import SessionKey
from vigil.core.session import SessionState
from vigil.runtime.bus.recall import RecallFailed, recall
from vigil.runtime.process.logs import get_log
from vigil.v1 import memory_pb2 as pb
from vigil_gateway import metrics
from vigil_gateway.api.errors import MemoryUnavailable
from vigil_gateway.api.models.memory import RecallIn
from vigil_gateway.ports import Ports

log = get_log()

DEADLINE_S = 2.0


async def recalled(
    ports: Ports, key: SessionKey, state: SessionState, origin_us: int, asked: RecallIn
) -> pb.RecallResponse:
    """What a memory worker finds about the question, as of the newest turn. Raises `MemoryUnavailable`."""
    request = pb.RecallRequest(
        tenant=key.tenant,
        session=key.session,
        question=asked.question,
        time_ms=max(0, state.last_time_ms),
        origin_us=origin_us,
        time_zone=asked.time_zone,
        max_lines=asked.lines,
    )
    try:
        found = await recall(ports.bus, request, DEADLINE_S)
    except RecallFailed as error:
        metrics.RECALLS.labels(error.outcome).inc()
        log.warning("memory not recalled", session=key.session, reason=str(error))
        raise MemoryUnavailable(str(error)) from None
    metrics.RECALLS.labels("answered").inc()
    return found
