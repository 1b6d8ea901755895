"""The memory that goes with a task: what the session's prompt held of it, and what is recalled for the question."""

from vigil.core.recall import MAX_CHARS, MAX_LINES, recalled_lines
from vigil.core.task import TaskRequest
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.recall import RecallFailed, recall
from vigil.runtime.process.logs import get_log
from vigil.v1 import memory_pb2 as pb
from vigil_brain import metrics

log = get_log()

RECALL_S = 0.5  # a task waits no longer for its memory
RECALLED = "Recalled for the question:"


async def memory(bus: Bus, request: TaskRequest, recall_s: float = RECALL_S) -> str:
    """The memory of the task as text; empty where there is none. Never raises: without a memory service, or without
    its answer within `recall_s` seconds, the question goes with what the session's prompt held."""
    lines = [line for line in await _recalled(bus, request, recall_s) if line not in request.memory]
    recalled = "\n".join([RECALLED, *lines]) if lines else ""
    return "\n\n".join(part for part in (request.memory, recalled) if part)


async def _recalled(bus: Bus, request: TaskRequest, recall_s: float) -> tuple[str, ...]:
    asked = question(request)
    if asked is None:
        return ()
    try:
        found = recalled_lines(line.text for line in (await recall(bus, asked, recall_s)).lines)
    except RecallFailed as error:
        metrics.RECALLS.labels(error.outcome).inc()
        if error.outcome != "absent":  # a deployment without memory is no fault
            log.warning("memory not recalled", task=request.task, reason=str(error))
        return ()
    metrics.RECALLS.labels("found" if found else "nothing").inc()
    return found


def question(request: TaskRequest) -> pb.RecallRequest | None:
    """What the memory service is asked for a task; None for a task of no session that a turn has shown, which has
    nothing to remember."""
    if request.time_ms <= 0:
        return None
    return pb.RecallRequest(
        tenant=request.tenant,
        session=request.session,
        question=request.question[:MAX_CHARS],
        time_ms=request.time_ms,
        origin_us=max(0, request.opened_at_us - request.time_ms * 1_000),
        max_lines=MAX_LINES,
        max_chars=MAX_CHARS,
    )
