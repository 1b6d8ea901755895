"""The work on tasks: taken under a lease, finished once, given to the session with it, over with the session."""

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.task import Artefact, TaskRequest, TaskState
from vigil.core.turn import FrameRef, Result, Task, Turn
from vigil.runtime.errors import InboxFull, SessionEnded, UnknownSession
from vigil.runtime.store.bounds import MAX_RESULTS, MAX_TASK_RECORDS
from vigil.runtime.store.keys import Part, part_key, task_key
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.tasks import OVER, WITHDRAWN, Ending, Finished, TaskStore
from vigil.testing.eventually import eventually

KEY = SessionKey("demo", "s-1")
REQUEST = TaskRequest("demo", "s-1", "lobby", "s-1-0", "Which flower is it?", "Let me see.", opened_at_us=1)
TASK = Task("s-1-0", "Which flower is it?", "Let me see.", 0, 120_000)
TURN = Turn(0, 0, (FrameRef("f", 160, 96),), "</response> Let me see. </delegation> Which flower is it?")
WAITS = SessionState(1, 0, Chunk(turns=(TURN,)), tasks=(TASK,))
ROSE = Result("s-1-0", "A rose.")
PAGE = Artefact("page.html", "text/html", 12, "demo.s-1-0.0")
READY = Ending(TaskState.READY, "A rose.", artefacts=(PAGE,), result=ROSE)


@pytest.fixture
def tasks(redis: Redis) -> TaskStore:
    return TaskStore(redis)


@pytest.fixture
async def session(store: SessionStore, spec: SessionSpec) -> SessionStore:
    """A session that waits for the answer of one task."""
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(WAITS, TURN))
    return store


async def taken(tasks: TaskStore, lease_s: float = 60.0) -> int:
    await tasks.queued(REQUEST)
    fence = await tasks.take(KEY, REQUEST.task, "worker-1", lease_s, "small")
    assert fence
    return fence


async def results(store: SessionStore) -> tuple[Result, ...]:
    return (await store.look(KEY)).waiting.results


async def test_a_task_is_queued_taken_and_finished_with_its_result_in_the_session(
    tasks: TaskStore, session: SessionStore
) -> None:
    assert await tasks.queued(REQUEST) is TaskState.QUEUED
    assert await tasks.queued(REQUEST) is TaskState.QUEUED, "it came again"
    assert await tasks.take(KEY, "s-1-0", "worker-1", 60.0, "small") == 1
    assert await tasks.renew(KEY, "s-1-0", 1, 60.0, progress="It reads.")
    running = await tasks.get(KEY, "s-1-0")
    assert running is not None
    assert (running.state, running.worker, running.brain, running.progress) == (
        TaskState.RUNNING,
        "worker-1",
        "small",
        "It reads.",
    )
    assert await tasks.finish(KEY, "s-1-0", 1, READY) is Finished.GIVEN
    assert await results(session) == (ROSE,)
    (record,) = await tasks.list(KEY)
    assert (record.state, record.digest, record.artefacts) == (TaskState.READY, "A rose.", (PAGE,))
    assert record.request == REQUEST
    assert record.queued_ms <= record.started_ms <= record.ended_ms


async def test_one_worker_holds_a_task_at_a_time(tasks: TaskStore, session: SessionStore) -> None:
    await taken(tasks)
    assert await tasks.take(KEY, "s-1-0", "worker-2", 60.0) == 0
    assert await tasks.take(KEY, "s-1-0", "worker-1", 60.0) == 0, "also not the same worker twice"


async def test_a_task_of_a_worker_that_died_is_taken_and_done_once(tasks: TaskStore, session: SessionStore) -> None:
    first = await taken(tasks, lease_s=0.05)
    second = 0

    async def is_free() -> bool:
        nonlocal second
        second = await tasks.take(KEY, "s-1-0", "worker-2", 60.0) or 0
        return second > 0

    await eventually(is_free, what="the lease ran out")
    assert second == first + 1
    assert not await tasks.renew(KEY, "s-1-0", first, 60.0)
    assert await tasks.finish(KEY, "s-1-0", first, READY) is Finished.OVERTAKEN
    assert await tasks.finish(KEY, "s-1-0", second, READY) is Finished.GIVEN
    assert await tasks.finish(KEY, "s-1-0", second, READY) is Finished.DONE
    assert await results(session) == (ROSE,)


async def test_a_task_that_is_let_go_can_be_taken_at_once(tasks: TaskStore, session: SessionStore) -> None:
    fence = await taken(tasks)
    assert await tasks.renew(KEY, "s-1-0", fence, 0.0)
    assert await tasks.take(KEY, "s-1-0", "worker-2", 60.0) == fence + 1


async def test_a_task_that_ended_is_not_taken_again(tasks: TaskStore, session: SessionStore) -> None:
    fence = await taken(tasks)
    await tasks.finish(KEY, "s-1-0", fence, READY)
    assert await tasks.queued(REQUEST) is TaskState.READY
    assert await tasks.take(KEY, "s-1-0", "worker-2", 60.0) is None


async def test_a_result_that_nobody_waits_for_is_not_given(tasks: TaskStore, session: SessionStore) -> None:
    fence = await taken(tasks)
    await session.commit(KEY, 1, Commit(SessionState(2, 1_000)))
    assert not await tasks.renew(KEY, "s-1-0", fence, 60.0), "its worker learns it at the next heartbeat"
    assert await tasks.finish(KEY, "s-1-0", fence, READY) is Finished.WITHDRAWN
    assert await results(session) == ()
    record = await tasks.get(KEY, "s-1-0")
    assert record is not None
    assert (record.state, record.error) == (TaskState.CANCELLED, WITHDRAWN)


async def test_a_result_after_the_end_of_the_session_is_not_given(tasks: TaskStore, session: SessionStore) -> None:
    fence = await taken(tasks)
    await session.end(KEY, "the client ended it")
    assert not await tasks.renew(KEY, "s-1-0", fence, 60.0)
    assert await tasks.finish(KEY, "s-1-0", fence, READY) is Finished.OVER
    record = await tasks.get(KEY, "s-1-0")
    assert record is not None
    assert (record.state, record.error) == (TaskState.CANCELLED, OVER)
    with pytest.raises(SessionEnded):
        await tasks.queued(replace(REQUEST, task="s-1-1"))


async def test_a_session_that_is_not_there_has_no_tasks(tasks: TaskStore, store: SessionStore) -> None:
    with pytest.raises(UnknownSession):
        await tasks.queued(REQUEST)
    assert await tasks.list(KEY) == ()
    assert await tasks.get(KEY, "s-1-0") is None
    assert await tasks.finish(KEY, "s-1-0", None, READY) is Finished.UNKNOWN


async def test_a_session_with_too_many_results_refuses_and_changes_nothing(
    tasks: TaskStore, session: SessionStore
) -> None:
    fence = await taken(tasks)
    for number in range(MAX_RESULTS):
        await session.submit_result(KEY, Result(f"s-1-{number + 50}", "Another."))
    with pytest.raises(InboxFull):
        await tasks.finish(KEY, "s-1-0", fence, READY)
    record = await tasks.get(KEY, "s-1-0")
    assert record is not None
    assert record.state is TaskState.RUNNING


async def test_a_task_is_cancelled_once_and_the_session_is_told_why(tasks: TaskStore, session: SessionStore) -> None:
    fence = await taken(tasks)
    assert await tasks.cancel(KEY, "s-1-0", "Ann withdrew it.")
    assert not await tasks.cancel(KEY, "s-1-0", "Ann withdrew it.")
    assert await results(session) == (Result("s-1-0", "Ann withdrew it.", is_ok=False),)
    assert not await tasks.renew(KEY, "s-1-0", fence, 60.0)
    assert await tasks.finish(KEY, "s-1-0", fence, READY) is Finished.DONE


async def test_two_workers_that_finish_at_once_give_one_result(tasks: TaskStore, session: SessionStore) -> None:
    fence = await taken(tasks)
    outcomes = await asyncio.gather(*(tasks.finish(KEY, "s-1-0", fence, READY) for _ in range(8)))
    assert sorted(outcomes) == sorted([Finished.GIVEN, *[Finished.DONE] * 7])
    assert await results(session) == (ROSE,)


async def test_the_oldest_records_make_way(tasks: TaskStore, session: SessionStore) -> None:
    for number in range(MAX_TASK_RECORDS + 3):
        await tasks.queued(replace(REQUEST, task=f"s-1-{number:03}"))
    records = await tasks.list(KEY)
    assert len(records) == MAX_TASK_RECORDS
    assert await tasks.get(KEY, "s-1-000") is None
    assert records[0].task == f"s-1-{MAX_TASK_RECORDS + 2:03}"


async def test_records_go_with_their_session(tasks: TaskStore, session: SessionStore, redis: Redis) -> None:
    fence = await taken(tasks)
    await session.end(KEY, "the client ended it")
    await tasks.finish(KEY, "s-1-0", fence, READY)
    for name in (task_key(KEY, "s-1-0"), part_key(KEY, Part.DELEGATED)):
        assert 0 < await redis.pttl(name) <= 3_600_000
