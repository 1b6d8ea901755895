"""The race to the first end: one result, nothing left running, no cancellation lost."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.runtime.process.cancellation import cancellation_kept, first_to_end, to_the_end, while_wanted
from vigil.testing.eventually import DEADLINE_S


class Journal:
    """What became of the work of a race."""

    def __init__(self) -> None:
        self.stopped: list[str] = []

    async def for_ever(self, name: str, *, stop_turns: int = 0) -> NoReturn:
        """Wait until cancelled, and take `stop_turns` turns of the event loop to stop."""
        try:
            await asyncio.Event().wait()
        finally:
            try:
                for _ in range(stop_turns):
                    await asyncio.sleep(0)
            finally:
                self.stopped.append(name)
        raise AssertionError("an event that nobody sets was set")


async def ends(result: str, after_turns: int = 0) -> str:
    for _ in range(after_turns):
        await asyncio.sleep(0)
    return result


async def fails(error: Exception, after_turns: int = 0) -> NoReturn:
    for _ in range(after_turns):
        await asyncio.sleep(0)
    raise error


@asynccontextmanager
async def nothing_left_running() -> AsyncIterator[None]:
    before = asyncio.all_tasks()
    yield
    assert asyncio.all_tasks() <= before


async def test_the_first_result_is_returned_and_the_rest_has_stopped() -> None:
    journal = Journal()
    async with nothing_left_running():
        result = await first_to_end(journal.for_ever("a", stop_turns=5), ends("done", 2), journal.for_ever("b"))
    assert result == "done"
    assert sorted(journal.stopped) == ["a", "b"]


async def test_what_the_first_raised_is_raised_after_the_rest_has_stopped() -> None:
    journal = Journal()
    async with nothing_left_running():
        with pytest.raises(ConnectionError, match="gone"):
            await first_to_end(journal.for_ever("a", stop_turns=3), fails(ConnectionError("gone"), 1), ends("late", 9))
    assert journal.stopped == ["a"]


async def test_an_error_while_the_rest_stops_does_not_hide_the_result() -> None:
    async def fails_to_stop() -> NoReturn:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("it could not be closed")

    assert await first_to_end(ends("done", 1), fails_to_stop()) == "done"


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=5))
def test_the_earliest_counts_errors_before_results_then_the_order(script: list[tuple[int, bool]]) -> None:
    """Each entry: when a piece of work ends, and whether it fails. The times are far enough apart for the race to see
    which came first."""
    earliest = min(time for time, _ in script)
    first_ones = [number for number, (time, _) in enumerate(script) if time == earliest]
    failed = [number for number in first_ones if script[number][1]]
    expected = (failed or first_ones)[0]

    async def play() -> str:
        work: list[Coroutine[None, None, str]] = [
            fails(ValueError(str(number)), 4 * time) if failing else ends(str(number), 4 * time)
            for number, (time, failing) in enumerate(script)
        ]
        try:
            return await first_to_end(*work)
        except ValueError as error:
            return f"error {error}"

    assert asyncio.run(play()) == (f"error {expected}" if failed else str(expected))


async def test_cancelling_the_caller_stops_all_and_is_not_lost() -> None:
    journal = Journal()
    caller = asyncio.create_task(first_to_end(journal.for_ever("a", stop_turns=3), journal.for_ever("b")))
    await asyncio.sleep(0)
    async with nothing_left_running():
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
    assert sorted(journal.stopped) == ["a", "b"]


@pytest.mark.parametrize("after_turns", range(8))
async def test_a_cancellation_at_any_moment_around_the_first_end_is_kept(after_turns: int) -> None:
    """Also in the turn of the event loop in which the first result comes, and while the rest is stopping."""
    journal = Journal()

    async def race() -> None:
        await first_to_end(ends("done", 2), journal.for_ever("slow", stop_turns=10))
        await asyncio.Event().wait()

    caller = asyncio.create_task(race())
    await asyncio.sleep(0)
    for _ in range(after_turns):
        await asyncio.sleep(0)
    caller.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.wait({caller})
    assert caller.cancelled()
    assert journal.stopped == ["slow"]


async def test_work_that_forgets_a_cancellation_is_cancelled_again_with_its_caller() -> None:
    forgot = asyncio.Event()

    async def forgetful() -> NoReturn:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            forgot.set()
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets was set")

    caller = asyncio.create_task(first_to_end(ends("done", 1), forgetful()))
    await forgot.wait()
    caller.cancel()
    async with asyncio.timeout(DEADLINE_S):
        await asyncio.wait({caller})
    assert caller.cancelled()


async def test_work_that_was_cancelled_by_somebody_else_is_not_taken_for_a_result() -> None:
    async def cancelled() -> NoReturn:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await first_to_end(cancelled(), Journal().for_ever("a"))


async def test_no_cancellation_is_left_counted_in_the_caller() -> None:
    await first_to_end(ends("done"), Journal().for_ever("a"))
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    with cancellation_kept():
        await asyncio.sleep(0)


async def test_work_goes_to_its_end_though_its_caller_is_cancelled() -> None:
    going, gate, done = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        going.set()
        await gate.wait()
        done.set()

    calling = asyncio.create_task(to_the_end(work()))
    await going.wait()
    calling.cancel()
    await asyncio.sleep(0)
    assert not calling.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert done.is_set()


async def test_what_came_of_the_work_is_the_callers_unless_it_was_cancelled() -> None:
    assert await to_the_end(ends("result", 3)) == "result"
    with pytest.raises(ValueError, match="it failed"):
        await to_the_end(fails(ValueError("it failed"), 3))
    calling = asyncio.create_task(to_the_end(fails(ValueError("nobody asks"), 3)))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling


async def test_a_caller_that_is_cancelled_twice_waits_no_longer() -> None:
    gate, done = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        await gate.wait()
        done.set()

    calling = asyncio.create_task(to_the_end(work()))
    for _ in range(2):
        await asyncio.sleep(0)
        calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    gate.set()
    async with asyncio.timeout(DEADLINE_S):
        await done.wait()


async def test_what_nobody_waits_for_any_more_is_undone_however_often_the_caller_is_cancelled() -> None:
    for cancellations in (1, 2, 3):
        gate, undone = asyncio.Event(), asyncio.Queue[str]()

        async def work(gate: asyncio.Event = gate) -> str:
            await gate.wait()
            return "a session"

        calling = asyncio.create_task(while_wanted(work(), undone.put))
        for _ in range(cancellations):
            await asyncio.sleep(0)
            calling.cancel()
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await calling
        async with asyncio.timeout(DEADLINE_S):
            assert await undone.get() == "a session"


async def test_what_is_wanted_or_failed_is_not_undone() -> None:
    undone = asyncio.Queue[str]()
    assert await while_wanted(ends("result", 3), undone.put) == "result"
    with pytest.raises(ValueError, match="it failed"):
        await while_wanted(fails(ValueError("it failed"), 3), undone.put)
    calling = asyncio.create_task(while_wanted(fails(ValueError("nobody asks"), 3), undone.put))
    await asyncio.sleep(0)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert undone.empty()
