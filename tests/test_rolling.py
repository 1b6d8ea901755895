"""A new release is rolled out under load: every gateway and every worker is replaced, and nobody misses a second."""

from pathlib import Path

import pytest
from bench import rolling
from bench.settings import BenchSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SESSIONS = 20


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
