"""A model that speaks every second for five minutes: one alert over NATS, with a few updates, and it closes."""

from pathlib import Path

import pytest
from bench.collector import Collector, Decided, collecting, stored_alerts, stored_decisions
from bench.generator import loading, now_ms
from bench.load_plan import INTERVAL_MS, LoadPlan, Pace
from bench.sessions import WATCH, names, open_sessions
from bench.settings import BenchSettings
from bench.stack import Stack, running
from nats.aio.client import Client

from vigil.core.control import Action
from vigil.testing.eventually import DEADLINE_S, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SECONDS = 300
SESSIONS = names(1)


async def test_five_minutes_of_words_are_one_alert(tmp_path: Path) -> None:
    settings = BenchSettings(out=tmp_path)
    async with running(settings, "storm") as (stack, _), collecting(stack.nats.url) as collector:
        await open_sessions(stack, collector.client, SESSIONS)
        first = await _calm(stack, collector, first_turn=0)
        storm = LoadPlan(
            stack.nats.url, SESSIONS, now_ms(), Pace.ANSWERED, red_every=1, first_turn=first, turns=first + SECONDS
        )
        async with loading(storm, stack.folder) as cameras:
            await cameras.finished(120)
        await _calm(stack, collector, first_turn=first + SECONDS)
        await eventually(lambda: _is_closed(collector.client), what="the alert is closed")
        events = await stored_alerts(collector.client)
        decisions = (await stored_decisions(collector.client))[SESSIONS[0]]
    spoken = [one for one in decisions if one.action is Action.SPEAK]
    assert [one.time_ms // INTERVAL_MS for one in spoken] == list(range(first, first + SECONDS))
    kinds = [one.type.rsplit(".", 1)[1] for one in events]
    interval_s = WATCH.watch.update_interval_s if WATCH.watch else 0
    assert kinds == ["opened", *["updated"] * (round(SECONDS / interval_s) - 1), "closed"]
    assert len({one.data["alert_id"] for one in events}) == 1
    assert len(collector.alerted) == 1, "whoever only listens hears of it once"
    times = [one.data["time_s"] for one in events]
    assert times[0] == first
    assert times == sorted(set(times))


async def _calm(stack: Stack, collector: Collector, first_turn: int) -> int:
    """Two quiet pictures from `first_turn` on, each once the one before was decided on: none is on its way any more
    afterwards. Returns the turn after them."""
    end = first_turn + 2
    plan = LoadPlan(stack.nats.url, SESSIONS, now_ms(), Pace.ANSWERED, first_turn=first_turn, turns=end)
    async with loading(plan, stack.folder) as cameras:
        await cameras.finished(DEADLINE_S)
    await collector.wait(SESSIONS, lambda found: _turn_after(found) >= end, DEADLINE_S, "the last one is decided on")
    return _turn_after(collector.decided[SESSIONS[0]])


def _turn_after(found: list[Decided]) -> int:
    """The turn after the newest decision."""
    return found[-1].decision.time_ms // INTERVAL_MS + 1 if found else 0


async def _is_closed(client: Client) -> bool:
    events = await stored_alerts(client)
    return bool(events) and events[-1].type == "vigil.alert.closed"
