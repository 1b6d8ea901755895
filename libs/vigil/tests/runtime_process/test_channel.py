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


def test_a_capacity_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="give 1 or more"):
        KeepLatest(0)
