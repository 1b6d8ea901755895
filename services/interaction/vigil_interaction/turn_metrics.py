"""What a committed turn tells the metrics."""

from collections.abc import Iterable

from vigil.core.alert import AlertEvent
from vigil.core.decide import Settled
from vigil.core.delegation import TaskEnd
from vigil.core.ids import SessionKey
from vigil.core.session import SessionSpec
from vigil.runtime.process.logs import get_log
from vigil.runtime.store.sessions import Waiting
from vigil_interaction import metrics

log = get_log()


def measure(spec: SessionSpec, settled: Settled, *, tick_s: float, age_s: float) -> bool:
    """Count one turn: `tick_s` from its frame's coming to its commit, `age_s` since the frame was captured.

    Returns whether the turn took longer than the session's cadence.
    """
    decision, completion = settled.decision, settled.decision.completion
    uncached = max(0, completion.prompt_tokens - completion.cached_tokens)
    metrics.TICKS.labels(decision.output.action).inc()
    metrics.TICK_SECONDS.observe(tick_s)
    metrics.OVERHEAD_SECONDS.observe(max(0.0, tick_s - completion.engine_ms / 1000))
    metrics.CAPTURE_SECONDS.observe(max(0.0, age_s))
    metrics.PREFIX_SHARE.observe(decision.prefix_share)
    metrics.PROMPT_TOKENS.labels("yes").inc(completion.cached_tokens)
    metrics.PROMPT_TOKENS.labels("no").inc(uncached)
    if settled.restart:
        metrics.BOUNDARY_TOKENS.observe(uncached)
    late = tick_s * 1000 > spec.cadence.interval_ms
    metrics.DEADLINES_MISSED.inc(late)
    if decision.duplicate:
        metrics.DUPLICATES.labels(spec.speech.duplicate_guard).inc()
    if decision.output.malformed:
        metrics.MALFORMED.labels(decision.output.malformed).inc()
        log.warning("malformed output received", text=completion.text[:200], reason=decision.output.malformed)
    count_events(settled.alert_events, settled.task_ends)
    for result in settled.unknown:
        metrics.RESULTS_DROPPED.labels("unknown").inc()
        log.warning("result dropped", session=spec.session, task=result.task[:80], reason="no such task is open")
    return late


def count_events(alert_events: Iterable[AlertEvent], task_ends: Iterable[TaskEnd]) -> None:
    """Count the alert events and the closed tasks that were committed, by a turn or by the session's end."""
    for event in alert_events:
        metrics.ALERTS.labels(event.state).inc()
    for end in task_ends:
        metrics.TASKS_CLOSED.labels(end.outcome).inc()


def went_without(left_out: str, given_up: Waiting, refusal: str) -> None:
    """Count and log what a turn left out because the engine refused it, in the words of `refusal`; `given_up` is what
    no later turn will show. Nothing happens where nothing was left out."""
    if not left_out:
        return
    metrics.PROMPTS_CUT.labels(left_out).inc()
    log.warning("prompt cut short", reason="the engine refuses the whole", left_out=left_out, error=refusal)
    if given_up.commands or given_up.results:
        commands, results = len(given_up.commands), len(given_up.results)
        metrics.COMMANDS_REJECTED.inc(commands)
        metrics.RESULTS_DROPPED.labels("refused").inc(results)
        reason = "the engine refuses them"
        log.error("commands dropped", reason=reason, error=refusal, commands=commands, results=results)


def past_changed(key: SessionKey, chunk: int) -> None:
    """Count and log that the earlier turns of a chunk changed, so that the engine computes again what it had."""
    metrics.PAST_CHANGED.inc()
    log.error("past of a chunk changed", session=str(key), chunk=chunk)
