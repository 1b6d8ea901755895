"""Results of delegated questions have an inbox of their own: bounded, read with the turn, emptied by its commit."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from vigil.core.command import Reset
from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.turn import Exchange, FrameRef, Result, Task, Turn
from vigil.runtime.errors import FenceLost, InboxFull, SessionEnded, UnknownSession
from vigil.runtime.store.bounds import MAX_INBOX, MAX_RESULTS
from vigil.runtime.store.sessions import Commit, SessionStore, Waiting

KEY = SessionKey("demo", "s-1")
ROSE, MONET = Result("s-1-0", "A rose."), Result("s-1-1", "No painting is signed.", is_ok=False)
TASK = Task("s-1-0", "Which flower is it?", "Let me see.", 0, 120_000)
TURN = Turn(0, 0, (FrameRef("f", 160, 96),), "</response> Let me see. </delegation> Which flower is it?")
STATE = SessionState(
    1, 0, Chunk(turns=(TURN,)), dialogue=(Exchange("What flower is this?", 0, task=TASK),), tasks=(TASK,)
)


def refused() -> float:
    return REGISTRY.get_sample_value("vigil_results_refused_total") or 0.0


async def test_results_wait_beside_the_commands_and_leave_with_the_turn_that_told_them(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec, [Reset()])
    await store.submit_result(KEY, ROSE)
    assert (await store.take(KEY, 1)).waiting == Waiting((Reset(),), (ROSE,))
    await store.submit_result(KEY, MONET)
    assert (await store.look(KEY)).waiting == Waiting((Reset(),), (ROSE, MONET))
    assert await store.commit(KEY, 1, Commit(STATE, TURN, consumed_results=1)) == Waiting((Reset(),), (MONET,))
    assert await store.commit(KEY, 1, Commit(STATE, consumed=1)) == Waiting((), (MONET,))


async def test_a_commit_that_is_refused_takes_no_result(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    await store.submit_result(KEY, ROSE)
    await store.take(KEY, 2)
    with pytest.raises(FenceLost):
        await store.commit(KEY, 1, Commit(STATE, TURN, consumed_results=1))
    assert (await store.look(KEY)).waiting.results == (ROSE,)


async def test_a_result_that_is_sent_again_waits_once(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    for result in (ROSE, MONET, ROSE):
        await store.submit_result(KEY, result)
    assert (await store.look(KEY)).waiting.results == (ROSE, MONET)


async def test_an_inbox_full_of_results_refuses_and_counts_and_leaves_room_for_commands(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    before = refused()
    for number in range(MAX_RESULTS):
        await store.submit_result(KEY, replace(ROSE, task=f"s-1-{number}"))
    with pytest.raises(InboxFull, match="16 results of delegated questions") as caught:
        await store.submit_result(KEY, replace(ROSE, task="s-1-99"))
    assert caught.value.retryable
    assert refused() == before + 1
    for _ in range(MAX_INBOX):
        await store.submit(KEY, Reset())
    waiting = (await store.look(KEY)).waiting
    assert (len(waiting.commands), len(waiting.results)) == (MAX_INBOX, MAX_RESULTS)


async def test_commands_cannot_crowd_results_out(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec, [Reset()] * MAX_INBOX)
    await store.submit_result(KEY, ROSE)
    assert (await store.look(KEY)).waiting.results == (ROSE,)


async def test_no_result_reaches_a_session_that_is_over(store: SessionStore, spec: SessionSpec) -> None:
    with pytest.raises(UnknownSession):
        await store.submit_result(KEY, ROSE)
    await store.create(spec)
    await store.submit_result(KEY, ROSE)
    await store.end(KEY, "the client ended it")
    with pytest.raises(SessionEnded):
        await store.submit_result(KEY, MONET)
    assert (await store.take(KEY, 1)).waiting == Waiting()


async def test_open_tasks_go_with_the_session_to_the_next_worker(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(STATE, TURN))
    assert (await store.take(KEY, 2)).state == STATE
