"""The channel that keeps the newest items."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigil.runtime.channel import KeepLatest, Statistics


async def test_a_slow_reader_gets_the_newest_and_the_rest_is_counted() -> None:
    channel: KeepLatest[int] = KeepLatest()
    for item in range(5):
        channel.offer(item)
    assert await anext(channel) == 4
    assert channel.dropped == 4
    assert channel.statistics == Statistics(offered=5, received=1, dropped=4, waiting=0)


async def test_a_waiting_reader_gets_the_next_item() -> None:
    channel: KeepLatest[str] = KeepLatest()
    reader = asyncio.create_task(anext(channel))
    await asyncio.sleep(0)
    channel.offer("now")
    assert await reader == "now"


async def test_closing_delivers_what_waits_then_ends() -> None:
    channel: KeepLatest[int] = KeepLatest(capacity=2)
    channel.offer(1)
    channel.offer(2)
    channel.close()
    channel.offer(3)
    assert [item async for item in channel] == [1, 2]
    assert channel.statistics == Statistics(offered=3, received=2, dropped=1, waiting=0)


async def test_closing_with_a_cause_raises_it_to_a_waiting_reader() -> None:
    channel: KeepLatest[int] = KeepLatest()
    reader = asyncio.create_task(anext(channel))
    await asyncio.sleep(0)
    channel.close(ConnectionError("gone"))
    channel.close(ValueError("later"))
    with pytest.raises(ConnectionError, match="gone"):
        await reader


@given(st.integers(1, 5), st.lists(st.one_of(st.just("read"), st.integers()), max_size=40))
def test_it_is_the_tail_of_what_was_offered(capacity: int, script: list[object]) -> None:
    async def play() -> None:
        channel: KeepLatest[object] = KeepLatest(capacity)
        model: list[object] = []
        for step in script:
            if step != "read":
                channel.offer(step)
                model = [*model, step][-capacity:]
            elif model:
                assert await anext(channel) == model.pop(0)
            counts = channel.statistics
            assert counts.offered == counts.received + counts.dropped + counts.waiting
            assert counts.waiting == len(model)

    asyncio.run(play())


async def test_an_item_comes_with_how_many_were_dropped_since_the_one_before() -> None:
    channel: KeepLatest[int] = KeepLatest(capacity=2)
    for item in range(5):
        channel.offer(item)
    assert await channel.take() == (3, 3)
    assert await channel.take() == (4, 0)
    channel.offer(5)
    channel.close()
    assert [taken async for taken in channel.counted()] == [(5, 0)]


async def test_what_was_dropped_before_a_take_that_was_cancelled_is_told_with_the_next_item() -> None:
    channel: KeepLatest[str] = KeepLatest()
    waiting = asyncio.create_task(channel.take())
    await asyncio.sleep(0)
    channel.offer("old")
    channel.offer("new")
    waiting.cancel()  # in the same turn of the event loop in which the items came
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await channel.take() == ("new", 1)


async def test_counting_ends_with_the_cause_that_the_channel_was_closed_with() -> None:
    channel: KeepLatest[int] = KeepLatest()
    channel.offer(1)
    channel.offer(2)
    channel.close(ConnectionError("gone"))
    counted = channel.counted()
    assert await anext(counted) == (2, 1)
    with pytest.raises(ConnectionError, match="gone"):
        await anext(counted)


@given(st.integers(1, 4), st.lists(st.integers(0, 6), max_size=30))
def test_every_item_is_taken_or_told_as_dropped_exactly_once(capacity: int, bursts: list[int]) -> None:
    """After each burst one item is taken, so that the reader falls behind or catches up as bursts come."""

    async def play() -> None:
        channel: KeepLatest[int] = KeepLatest(capacity)
        offered = iter(range(1_000))
        taken: list[int] = []
        told = 0
        for burst in bursts:
            for _ in range(burst):
                channel.offer(next(offered))
            if channel.statistics.waiting:
                item, dropped = await channel.take()
                told += dropped
                taken.append(item)
                assert item + 1 == len(taken) + told  # what came before it was taken, or is told by now
        channel.close()
        async for item, dropped in channel.counted():
            told += dropped
            taken.append(item)
        assert len(taken) + told == sum(bursts)
        assert told == channel.dropped
        assert taken == sorted(set(taken))

    asyncio.run(play())


def test_a_capacity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="give 1 or more"):
        KeepLatest(0)
