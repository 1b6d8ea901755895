"""A new release is rolled out under load: every gateway and every worker is replaced, and nobody misses a second."""

import asyncio
import signal
import time
from pathlib import Path

import pytest
from bench import rolling
from bench.collector import collecting, stored_decisions
from bench.integrity import missed_turns
from bench.sessions import names, open_sessions
from bench.settings import BenchSettings
from bench.stack import running

from vigil.testing.slow_link import slow_link
from vigil.testing.videos import write_video

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SESSIONS = 20
TICKING_S = 60.0
LATE_S = 1.5  # less than a worker waits for NATS, more than there is between two pictures


async def test_a_rolling_restart_of_everything_drops_no_second_of_twenty_sessions(tmp_path: Path) -> None:
    found = await rolling.measure(BenchSettings(out=tmp_path, sessions=SESSIONS))
    assert found.sessions == SESSIONS
    assert [restart.process for restart in found.restarts] == [
        f"{service}-{number}" for service in rolling.ORDER for number in (1, 2)
    ]
    assert [restart.process for restart in found.restarts if restart.missed_turns] == []
    assert found.unanswered == 0
    assert found.pushes > SESSIONS
    assert found.listeners_intact
    assert found.connections > 2, "a gateway that ended sent its readers to the other"
    assert found.integrity.faults == ()


async def test_a_codec_that_is_slow_to_reach_nats_costs_no_second(tmp_path: Path) -> None:
    """What it says, its subscriptions too, arrives a second and a half late: the one that drains must not let a session
    go before the other one listens."""
    async with (
        running(BenchSettings(out=tmp_path), "late") as (stack, _),
        collecting(stack.nats.url) as collector,
        slow_link(stack.nats.port) as link,
    ):
        await stack.start("ingestion")
        video = await asyncio.to_thread(write_video, stack.folder / "camera.mp4", 10)
        sessions = names(4)
        await open_sessions(stack, collector.client, sessions, source_url=video.as_uri())
        await collector.wait(sessions, lambda found: len(found) >= 3, TICKING_S, "every session ticks")
        await stack.start("codec", 2, {"VIGIL_NATS_URL": f"nats://127.0.0.1:{link.port}"})
        link.delay_s = LATE_S
        began_us = time.time_ns() // 1_000
        stack.workers["codec-1"].signal(signal.SIGTERM)
        await stack.workers["codec-1"].process.wait()
        collector.clear()
        await collector.wait(sessions, lambda found: len(found) >= 6, TICKING_S, "the other one has every session")
        stored = await stored_decisions(collector.client)
        now_us = time.time_ns() // 1_000
        assert {name: missed_turns(stored[name], began_us, now_us) for name in sessions} == dict.fromkeys(sessions, 0)
