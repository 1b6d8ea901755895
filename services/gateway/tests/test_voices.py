"""The names of the voices that live workers offer."""

import aiohttp
from redis.asyncio import Redis

from vigil.core.source import Role
from vigil.runtime.placement.leases import Offer, Placement


async def test_the_voices_of_all_workers_are_listed_once(http: aiohttp.ClientSession, redis: Redis) -> None:
    async def listed() -> list[str]:
        async with http.get("/v1/voices") as answer:
            assert answer.status == 200
            found: list[str] = (await answer.json())["voices"]
            return found

    placement = Placement(redis)
    before = await listed()
    await placement.heartbeat(Role.TTS, "one", Offer(1, models=("heart", "anna")))
    await placement.heartbeat(Role.TTS, "two", Offer(1, models=("heart",)))
    await placement.heartbeat(Role.INTERACTION, "three", Offer(1, models=("vigil-small",)))
    assert (before, await listed()) == ([], ["anna", "heart"])
    await placement.retire(Role.TTS, "one")
    assert await listed() == ["heart"]
