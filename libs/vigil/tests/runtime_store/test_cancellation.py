"""A task that is cancelled while it talks to Redis stops, however the cancellation and the answer fall together."""

import asyncio

from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.runtime.store.sessions import SessionStore


async def test_cancelling_a_task_between_calls_always_stops_it(redis: Redis) -> None:
    store = SessionStore(redis)
    await store.ping()
    for attempt in range(150):
        calls = 0

        async def work() -> None:
            nonlocal calls
            while True:
                await store.commands(SessionKey("demo", "s-1"))
                calls += 1

        task = asyncio.create_task(work())
        for _ in range(attempt):  # from turn to turn of the loop the cancellation comes at another moment
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert task in done, f"still running after {calls} calls"
        assert task.cancelled()
