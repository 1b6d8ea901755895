"""Within a chunk a prompt only grows at its end: a past that changed is counted and logged, and the session goes on."""

from dataclasses import replace
from typing import Any

from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from vigil.core.ids import SessionKey
from vigil_interaction.turn_metrics import past_changed

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import


async def test_a_past_that_changed_is_told_and_the_session_goes_on(stage: Stage, grey: bytes) -> None:
    told: list[tuple[SessionKey, int]] = []
    stage.past_changed = lambda key, chunk: told.append((key, chunk))
    await stage.open()
    async with stage.worker():
        await stage.watch(grey, grey)
        assert told == []
        runner = stage.sessions[0].runner
        first, *later = runner.state.chunk.turns
        rewritten = (replace(first, reply="</response> Hello."), *later)
        runner.state = replace(runner.state, chunk=replace(runner.state.chunk, turns=rewritten))
        await stage.watch(grey, start=2)
        await stage.watch(grey, start=3)
        assert len(await stage.decisions(4)) == 4
    assert told == [(stage.key, 0)], "the prompt after it goes on from the changed one"


def test_in_production_it_is_counted_and_logged() -> None:
    before = REGISTRY.get_sample_value("vigil_prompt_past_changed_total") or 0.0
    with capture_logs() as logs:
        past_changed(SessionKey("demo", "s-1"), 3)
    assert REGISTRY.get_sample_value("vigil_prompt_past_changed_total") == before + 1
    assert logs == [{"event": "past of a chunk changed", "session": "demo/s-1", "chunk": 3, "log_level": "error"}]
