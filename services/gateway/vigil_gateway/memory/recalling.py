"""Asks a memory worker what a session's memory holds about a question, over the bus."""

from google.protobuf.message import DecodeError

from vigil.contract import subjects
from vigil.core.ids import SessionKey
from vigil.core.session import SessionState
from vigil.runtime.errors import BusUnavailable, NoResponders
from vigil.runtime.process.logs import get_log
from vigil.v1 import memory_pb2 as pb
from vigil_gateway import metrics
from vigil_gateway.api.errors import MemoryUnavailable
from vigil_gateway.api.models.memory import RecallIn
from vigil_gateway.ports import Ports

log = get_log()

DEADLINE_S = 2.0


async def recall(
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
        answer = await ports.bus.request(subjects.memory_recall(key), request.SerializeToString(), DEADLINE_S)
        found = pb.RecallResponse.FromString(answer)
    except NoResponders:
        raise _refused(key, "absent", "no memory service listens") from None
    except BusUnavailable:
        raise _refused(key, "late", f"no memory service answered within {DEADLINE_S:g} s") from None
    except DecodeError:
        raise _refused(key, "unreadable", "the memory service answered what cannot be read") from None
    metrics.RECALLS.labels("answered").inc()
    return found


def _refused(key: SessionKey, outcome: str, why: str) -> MemoryUnavailable:
    metrics.RECALLS.labels(outcome).inc()
    log.warning("memory not recalled", session=key.session, reason=why)
    return MemoryUnavailable(why)
