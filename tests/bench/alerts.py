"""From a red frame to the alert that a plain NATS subscriber gets."""

import asyncio
from dataclasses import dataclass

from bench.collector import collecting
from bench.generator import loading, now_ms
from bench.load_plan import LoadPlan
from bench.progress import hold, say
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import running
from bench.statistics import Spread, spread

_RED_EVERY = 4


@dataclass(frozen=True, slots=True)
class Alerts:
    """Seconds from the camera's publishing of the first red frame to the alert. A real event also waits for the next
    frame to be sampled: up to one interval, half of one on average, which is not in here."""

    events: int
    missed: int
    event_to_alert_s: Spread


async def measure(settings: BenchSettings) -> Alerts:
    """Every session shows red for one turn in four, at its own time; each time an alert opens."""
    sessions = names(settings.sessions)
    async with running(settings, "alerts") as (stack, _), collecting(stack.nats.url) as collector:
        await open_sessions(stack, collector.client, sessions)
        await asyncio.sleep(1.0)  # a worker needs that long to claim the sessions
        plan = LoadPlan(stack.nats.url, sessions, now_ms() + 1_000, red_every=_RED_EVERY)
        async with loading(plan, stack.folder) as generator:
            await hold(settings.events_per_session * _RED_EVERY + 1, f"alerts: {len(sessions)} sessions")
            await generator.stop()
        await asyncio.sleep(0.5)  # what is on its way
        shown = {
            (one.decision.key.session, one.decision.time_ms): one.decision.capture_time_us
            for one in collector.all
            if plan.is_red(sessions.index(one.decision.key.session), one.decision.time_ms // 1000)
        }
        opened = {(one.session, one.time_ms): one.arrival_us for one in collector.alerted}
    delays = [(opened[turn] - captured_us) / 1e6 for turn, captured_us in shown.items() if turn in opened]
    result = Alerts(len(delays), len(shown) - len(delays), spread(delays))
    say(f"event to alert p50 {result.event_to_alert_s.p50:.3f} s, p99 {result.event_to_alert_s.p99:.3f} s")
    return result
