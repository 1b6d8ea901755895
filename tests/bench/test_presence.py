"""What is counted of two hours of presence, by value."""

from dataclasses import replace

import pytest

from bench.collector import Decided
from bench.machine import Machine
from bench.memory import covered_ms
from bench.presence_figures import Boundary, Present, Watched, Writing, gap_ms, present
from bench.report import html
from bench.results import Results
from vigil.contract.decision import StoredDecision
from vigil.core.control import SILENCE, Action
from vigil.core.ids import SessionKey
from vigil.core.memory import Block, Memory
from vigil.core.session import Chunk, SessionState
from vigil.core.turn import Turn

KEY = SessionKey("bench", "s-0000")
BEGAN_US = 1_000_000_000
CHUNK = 10
BUDGET = 4_000


def decision(turn: int, prompt_tokens: int = 1_000) -> StoredDecision:
    """A silent turn, a hundred milliseconds after the one before it; every tenth is the first of a chunk."""
    shown_us = BEGAN_US + turn * 100_000
    return StoredDecision(
        *(KEY, turn, turn * 1_000, shown_us, shown_us, Action.SILENT),
        prefix_share=0.2 if turn and turn % CHUNK == 0 else 1.0,
        prompt_tokens=prompt_tokens,
        cached_tokens=900,
    )


def tick(turn: int, tick_ms: float = 50, prompt_tokens: int = 1_000) -> Decided:
    """The same with when it came."""
    made = decision(turn, prompt_tokens)
    return Decided(made.capture_time_us + round(tick_ms * 1_000), made)


def boundary(turn: int, redis_bytes: int = 5_000, gap_ms: int = 0) -> Boundary:
    """A look at the session after the first turn of a chunk; its archive has 100 bytes a turn."""
    return Boundary(turn * 1_000, 1_000, 200, 3, 0, gap_ms, redis_bytes + 100 * turn, 100 * turn)


def figures(ticks: list[Decided], writing: Writing | None = None, watched: Watched | None = None) -> Present:
    """Of forty turns, after a warm-up of ten."""
    usual = Watched([boundary(turn) for turn in (10, 20, 30)], {"interaction-1": 1, "engine": 0}, 1)
    rss = {"interaction-1": [50e6, 100e6, 100e6, 104e6], "engine": [1e9, 2e9]}
    return present(40, ticks, writing or Writing(), watched or usual, rss, BUDGET, 12.34)


def test_a_quiet_presence_meets_every_target() -> None:
    results = Results(Machine(2, "a processor", 8.0, "Linux", 0.1), {})
    results.presence = figures([tick(turn) for turn in range(40)])
    assert set(results.met().values()) == {True}
    summary = results.summary()
    assert (summary["presence_prompt_tokens_max"], summary["turns_over_budget"]) == (1_000, 0)
    assert (summary["presence_redis_spread"], summary["presence_boundary_cached"]) == (0.0, 0.9)
    assert summary["presence_rss_spread"] == pytest.approx(0.04)
    assert summary["presence_hours"] == round(31 / 3_600, 3)
    assert "40 turns in 12 s" in html(results)


def test_a_prompt_over_the_budget_is_counted() -> None:
    found = figures([tick(turn, prompt_tokens=BUDGET + (turn == 7)) for turn in range(40)])
    assert (found.prompt_tokens_max, found.over_budget) == (BUDGET + 1, 1)


def test_a_tick_beside_a_block_is_told_from_one_alone() -> None:
    """A block is written from turn 3 until the middle of turn 5, which is late, as is turn 20."""
    late = {5: 1_500.0, 20: 2_000.0}
    ticks = [tick(turn, late.get(turn, 50.0)) for turn in range(40)]
    writing = Writing()
    writing.asked("a", BEGAN_US + 310_000)
    writing.asked("a", BEGAN_US + 400_000)  # the message came again
    writing.over("a", BEGAN_US + 520_000, is_ready=True)
    writing.over("b", BEGAN_US + 900_000_000, is_ready=False)
    found = figures(ticks, writing)
    assert found.writing is not None
    assert (found.writing.count, found.ticks.count) == (3, 40)
    assert (found.delayed, found.delayed_by_memory) == (2, 1)
    assert (found.ready, found.failed) == (1, 1)


def test_first_ticks_of_chunks_are_compared_with_the_others() -> None:
    found = figures([tick(turn, 75.0 if turn % CHUNK == 0 else 50.0) for turn in range(40)])
    assert (found.firsts.count, found.boundary_ratio) == (3, 1.5)


def test_bytes_are_steady_without_the_archive_and_after_the_warm_up() -> None:
    watched = Watched([boundary(10, 1_000), boundary(20, 5_000), boundary(30, 5_500)], {}, 1)
    found = figures([tick(turn) for turn in range(40)], watched=watched)
    assert (found.redis.least, found.redis.most, found.redis_bytes_max) == (5_000, 5_500, 8_500)


def test_time_of_which_no_tier_knows_is_a_gap() -> None:
    memory = Memory((Block("0-2000-0", 0, 0, 2_000, "A."), Block("4000-9000-0", 0, 4_000, 9_000, "B.")))
    state = SessionState(10, 9_000, Chunk(turns=(Turn(9, 9_000, (), SILENCE),)), memory=memory)
    assert (covered_ms(state), gap_ms(state)) == (6_000, 4_000)
    whole = replace(memory, blocks=(Block("0-9000-1", 1, 0, 9_000, "A. B."),))
    assert gap_ms(replace(state, memory=whole)) == 0
    watched = Watched([boundary(10), boundary(20, gap_ms=4_000)], {}, 0)
    assert figures([tick(turn) for turn in range(40)], watched=watched).gaps == 1


@pytest.mark.parametrize("watched", [Watched([boundary(10)], {}, 1), Watched([boundary(10)])])
def test_without_a_chunk_after_the_warm_up_nothing_is_said(watched: Watched) -> None:
    with pytest.raises(RuntimeError, match="no chunk ended after the warm-up"):
        figures([tick(turn) for turn in range(40)], watched=watched)
