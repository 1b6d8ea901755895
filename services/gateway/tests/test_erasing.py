"""A session that is erased: nothing of it stays but what downstream systems were told."""

import aiohttp
import pytest
from redis.asyncio import Redis

from vigil.contract.snapshots import snapshot_name
from vigil.core.ids import SessionKey
from vigil.runtime.bus.client import Bus
from vigil.runtime.errors import ArtefactMissing, SnapshotMissing
from vigil.runtime.store.keys import Part, index_key, member, part_key, session_keys, task_key
from vigil.runtime.store.sessions import SessionStore
from vigil.runtime.store.tasks import TaskStore
from vigil.testing.alert_events import alert_event
from vigil.testing.delegated import answer, delegate, task_id
from vigil_gateway.sessions.erasing import WITHIN_S

FILES = (("flower.txt", "text/plain", b"an iris"), ("flower.png", "image/png", b"\x89PNG\r\n\x1a\n"))


async def alerted(http: aiohttp.ClientSession, bus: Bus, session: str, number: int, other: str = "") -> str:
    """An alert of the session, or of another one at the same source, with its picture; its name in the bucket."""
    async with http.get(f"/v1/sessions/{session}") as shown:
        source = (await shown.json())["source"]["id"]
    name = snapshot_name("demo", f"a-{number}")
    await bus.put_snapshot(name, b"a picture")
    await bus.publish_stored(alert_event(number, "opened", source_id=source, session=other or session))
    return name


async def worked_on(redis: Redis, bus: Bus, store: SessionStore, session: str) -> list[str]:
    """A session with a turn and a delegated question that a brain has answered with files; their names."""
    await delegate(store, session)
    return [file.object for file in await answer(TaskStore(redis), bus, session, *FILES)]


async def erased(http: aiohttp.ClientSession, session: str) -> int:
    """The status of the answer."""
    async with http.delete(f"/v1/sessions/{session}?erase=true") as answered:
        return answered.status


async def test_pictures_of_alerts_and_files_go_at_once_and_everything_else_within_a_minute(
    http: aiohttp.ClientSession, session: str, redis: Redis, bus: Bus, store: SessionStore
) -> None:
    files = await worked_on(redis, bus, store, session)
    pictures = [await alerted(http, bus, session, number) for number in (1, 2)]
    assert [await erased(http, session) for _ in range(2)] == [204, 204]
    for name in files:
        with pytest.raises(ArtefactMissing):
            await bus.get_artefact(name)
    for name in pictures:
        with pytest.raises(SnapshotMissing):
            await bus.get_snapshot(name)
    key = SessionKey("demo", session)
    names = [*session_keys(key), task_key(key, task_id(session))]
    left_ms = {name: await redis.pttl(name) for name in names if await redis.exists(name)}
    assert left_ms.keys() >= {part_key(key, part) for part in (Part.SPEC, Part.HEAD, Part.TURNS, Part.LOG)}
    assert all(0 <= left <= WITHIN_S * 1_000 for left in left_ms.values()), left_ms
    listed_until_ms = await redis.zscore(index_key("demo"), member(key))
    seconds, _ = await redis.time()
    assert listed_until_ms is not None
    assert listed_until_ms <= (seconds + WITHIN_S + 1) * 1_000


async def test_another_session_of_the_same_camera_keeps_what_it_has(
    http: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    name = await alerted(http, bus, session, 3, other="s-other")
    assert await erased(http, session) == 204
    assert await bus.get_snapshot(name) == b"a picture"


async def test_a_session_that_has_ended_can_be_erased_and_one_that_ends_is_not(
    http: aiohttp.ClientSession, session: str, redis: Redis, bus: Bus, store: SessionStore
) -> None:
    (first, _) = await worked_on(redis, bus, store, session)
    async with http.delete(f"/v1/sessions/{session}") as ended:
        assert ended.status == 204
    spec = part_key(SessionKey("demo", session), Part.SPEC)
    assert await bus.get_artefact(first) == b"an iris"
    assert await redis.pttl(spec) > WITHIN_S * 1_000
    assert await erased(http, session) == 204
    assert await redis.pttl(spec) <= WITHIN_S * 1_000
    with pytest.raises(ArtefactMissing):
        await bus.get_artefact(first)


async def test_a_session_whose_options_cannot_be_read_is_erased_too(
    http: aiohttp.ClientSession, session: str, redis: Redis, bus: Bus
) -> None:
    name = await alerted(http, bus, session, 4)
    spec = part_key(SessionKey("demo", session), Part.SPEC)
    await redis.set(spec, b"{garbage")
    assert await erased(http, session) == 204
    assert await redis.pttl(spec) <= WITHIN_S * 1_000
    with pytest.raises(SnapshotMissing):
        await bus.get_snapshot(name)


async def test_another_tenant_erases_nothing(
    http: aiohttp.ClientSession, rival: aiohttp.ClientSession, session: str, bus: Bus
) -> None:
    name = await alerted(http, bus, session, 5)
    assert await erased(rival, session) == 404
    assert await bus.get_snapshot(name) == b"a picture"
