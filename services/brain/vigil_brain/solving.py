"""Asks a brain: within its time, again where that may help, and with an answer that was made safe to be told."""

import asyncio
import random

from opentelemetry.trace import StatusCode

from vigil.contract import spans
from vigil.core.task import TaskRequest, TaskState
from vigil.runtime.process.backoff import Backoff
from vigil.runtime.process.logs import get_log
from vigil.runtime.process.trace import AttributeValue, span
from vigil_brain import artefacts, metrics
from vigil_brain.brains.port import Answer, BrainError, BrainTask, Told
from vigil_brain.catalogue import OpenBrain
from vigil_brain.digest import digest, reason
from vigil_brain.memory import memory
from vigil_brain.outcome import LATE, Outcome, failed, withdrawn
from vigil_brain.ports import Ports
from vigil_brain.snapshot import pictures

log = get_log()

RETRY = Backoff(first_s=0.5, most_s=10.0)


async def answer(ports: Ports, request: TaskRequest, told: Told) -> Outcome:
    """What comes of asking the brain that is chosen for this task. Never raises, except when it is cancelled."""
    chosen = ports.catalogue.choose(request)
    brain = ports.catalogue.find(chosen.brain)
    if brain is None:
        return failed(chosen.fault or f"there is no brain {chosen.brain!r} any more", chosen.brain)
    left_s = (request.expires_us - ports.now_us()) / 1e6
    if left_s <= 0:
        return withdrawn(LATE, brain.name)
    attributes: dict[str, AttributeValue] = {
        spans.TENANT: request.tenant,
        spans.SESSION: request.session,
        spans.SOURCE: request.source_id,
        spans.TASK: request.task,
        spans.BRAIN: brain.name,
    }
    with span(spans.SOLVE, attributes) as current, metrics.SOLVE_SECONDS.labels(brain.name).time():
        outcome = await _within(min(brain.timeout_s, left_s), ports, brain, request, told)
        current.set_attribute(spans.OUTCOME, outcome.state)
        if outcome.state is TaskState.ERROR:
            current.set_status(StatusCode.ERROR)
    return outcome


async def _within(limit_s: float, ports: Ports, brain: OpenBrain, request: TaskRequest, told: Told) -> Outcome:
    shown, known = await asyncio.gather(
        pictures(ports.sessions, request, ports.snapshot_bytes), memory(ports.bus, request)
    )
    task = BrainTask(
        id=request.task,
        question=request.question,
        note=request.note,
        language=request.language,
        instructions=request.instructions,
        memory=known,
        pictures=shown,
        deadline_s=limit_s,
        prompt=brain.entry.prompt,
    )
    try:
        async with asyncio.timeout(limit_s):
            found = await _asked(ports.retries, brain, task, told)
    except TimeoutError:
        metrics.FAILURES.labels(brain.name, "timeout").inc()
        return failed(f"the brain gave no answer within {limit_s:.0f} s", brain.name)
    except BrainError as error:
        return failed(reason(error.reason), brain.name)
    return _outcome(request, brain.name, found)


async def _asked(retries: int, brain: OpenBrain, task: BrainTask, told: Told) -> Answer:
    """Ask; again where the failure may pass. Raises `BrainError`."""
    failures = 0
    while True:
        try:
            return await brain.solve(task, told)
        except BrainError as error:
            failures += 1
            is_last = not error.is_transient or failures > retries
            metrics.FAILURES.labels(brain.name, "failed" if is_last else "unavailable").inc()
            log.warning("brain failed", brain=brain.name, task=task.id, reason=error.reason, tries=failures)
            if is_last:
                raise
        except Exception as error:  # whatever an adapter raises, the session is told that it failed
            metrics.FAILURES.labels(brain.name, "failed").inc()
            log.exception("brain failed unexpectedly", brain=brain.name, task=task.id)
            raise BrainError(f"the brain failed: {type(error).__name__}") from error
        await asyncio.sleep(RETRY.delay_s(failures, random.random()))


def _outcome(request: TaskRequest, brain: str, found: Answer) -> Outcome:
    text = digest(found.text)
    kept = artefacts.keep(request.tenant, request.task, found.artefacts)
    metrics.ARTEFACTS.labels("kept").inc(len(kept.artefacts))
    metrics.ARTEFACTS.labels("left_out").inc(kept.left_out)
    if not text and kept.artefacts:
        text = f"Done: {', '.join(artefact.name for artefact in kept.artefacts)}"
    if not text:
        metrics.FAILURES.labels(brain, "empty").inc()
        return failed("the brain's answer holds no text", brain)
    return Outcome(TaskState.READY, text, brain, kept)
