"""Sessions come, are told things, and end."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import reduce

import pytest
from redis.asyncio import Redis

from vigil.core.command import Ask, Clear, Command, Instruct, Reset
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Severity, Watch
from vigil.core.session import Cadence, ResponseMode, SessionSpec, SessionState, Speech
from vigil.runtime.errors import AlreadyExists, InboxFull, SessionEnded, StoreCorrupt, StoreUnavailable, UnknownSession
from vigil.runtime.store.bounds import MAX_INBOX
from vigil.runtime.store.keys import Part, session_keys
from vigil.runtime.store.record import encode_command
from vigil.runtime.store.redis_client import open_redis, script
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import eventually
from vigil.testing.ports import free_port
from vigil.testing.servers import RedisServer

KEY = SessionKey("demo", "s-1")
WATCH = Instruct(Instruction("w-1", "Alert me when a fire starts.", Watch("fire", Severity.CRITICAL)))


async def test_a_spec_reads_back(store: SessionStore, spec: SessionSpec) -> None:
    full = replace(
        spec,
        cadence=Cadence(500, 2),
        speech=Speech(ResponseMode.TALKATIVE),
        source=replace(spec.source, name="Lobby, ünïcode"),
    )
    await store.create(full)
    assert await store.spec(KEY) == full
    changed = replace(full, speech=Speech(ResponseMode.RESERVED))
    assert await store.change_spec(KEY, lambda _: changed) == changed
    assert await store.spec(KEY) == changed


async def test_changes_that_race_are_all_kept(store: SessionStore, spec: SessionSpec) -> None:
    changes: list[Callable[[SessionSpec], SessionSpec]] = [
        lambda before: replace(before, infer_when_idle=False),
        lambda before: replace(before, cadence=replace(before.cadence, interval_ms=500)),
        lambda before: replace(before, cadence=replace(before.cadence, frames_per_turn=2)),
        lambda before: replace(before, speech=replace(before.speech, response_mode=ResponseMode.RESERVED)),
        lambda before: replace(before, speech=replace(before.speech, text_temperature=0.5)),
    ]
    await store.create(spec)
    await asyncio.gather(*(store.change_spec(KEY, change) for change in changes * 2))
    assert await store.spec(KEY) == reduce(lambda before, change: change(before), changes, spec)


async def test_a_second_session_of_that_id_is_refused(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    with pytest.raises(AlreadyExists, match="demo/s-1 exists already") as caught:
        await store.create(replace(spec, source=replace(spec.source, id="yard")))
    assert caught.value.key == KEY
    assert (await store.spec(KEY)).source.id == "lobby"


async def test_only_a_session_that_was_not_confirmed_is_discarded(
    store: SessionStore, redis: Redis, spec: SessionSpec
) -> None:
    await store.create(spec, (Reset(),), confirmed=False)
    await store.discard(KEY)
    assert await redis.keys("*") == []
    await store.create(spec, confirmed=False)
    await store.confirm(KEY)
    await store.discard(KEY)
    assert await store.spec(KEY) == spec
    await store.end(KEY, "over")
    await store.discard(KEY)
    assert await store.sessions(KEY.tenant) == [KEY]


async def test_every_kind_of_command_waits_in_order(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec, [WATCH])
    later: list[Command] = [Ask("q-1", "What do you see?"), Clear("w-1"), Reset(), Ask("q-1", "What do you see?")]
    for command in later:
        await store.submit(KEY, command)
    assert await store.commands(KEY) == (WATCH, *later)


async def test_a_command_that_is_sent_again_waits_once(store: SessionStore, redis: Redis, spec: SessionSpec) -> None:
    """redis-py sends a script again when its answer was lost; by then others may have said something too."""
    await store.create(spec)
    submit = script(redis, "vigil.runtime.store", "session", "submit")
    place = list(Part).index(Part.INBOX) + 1
    mine, other = Ask("q-1", "What do you see?"), Ask("q-2", "And now?")
    for command, nonce in ((mine, "a"), (other, "b"), (mine, "a"), (mine, "c")):
        answer = await submit(
            keys=session_keys(KEY), args=[place, MAX_INBOX, "inbox full", encode_command(command, nonce)]
        )
        assert answer == b"ok"
    assert await store.commands(KEY) == (mine, other, mine)


async def test_the_inbox_is_bounded(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec, [Reset()] * MAX_INBOX)
    with pytest.raises(InboxFull, match="64 commands waiting") as caught:
        await store.submit(KEY, Reset())
    assert caught.value.retryable
    with pytest.raises(InboxFull):
        await store.create(replace(spec, session="s-2"), [Reset()] * (MAX_INBOX + 1))
    assert await store.sessions("demo") == [KEY]


async def test_the_clock_begins_once(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    assert await store.set_origin(KEY, 5_000_000) == 5_000_000
    assert await store.set_origin(KEY, 9_000_000) == 5_000_000


async def test_each_role_has_a_status(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    await store.set_status(KEY, "ingestion", '{"state":"reconnecting"}')
    await store.set_status(KEY, "ingestion", '{"state":"connected"}')
    await store.set_status(KEY, "interaction", "{}")
    assert await store.status(KEY) == {"ingestion": '{"state":"connected"}', "interaction": "{}"}


async def test_a_tenant_sees_its_own_sessions(store: SessionStore, spec: SessionSpec) -> None:
    for tenant, session in (("demo", "s-2"), ("demo", "s-1"), ("other", "s-3")):
        await store.create(replace(spec, tenant=tenant, session=session))
    assert await store.sessions("demo") == [SessionKey("demo", "s-1"), SessionKey("demo", "s-2")]
    assert await store.sessions("other") == [SessionKey("other", "s-3")]
    assert await store.sessions("nobody") == []


async def test_an_ended_session_can_be_read_but_takes_nothing(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    assert await store.ended(KEY) is None
    await store.end(KEY, 'the "client" ended it')
    await store.end(KEY, "again")
    ended = await store.ended(KEY)
    assert ended is not None
    assert ended.reason == 'the "client" ended it'
    assert await store.sessions("demo") == [KEY]
    assert await store.spec(KEY) == spec
    for refused in (store.submit(KEY, Reset()), store.change_spec(KEY, lambda _: spec), store.set_origin(KEY, 1)):
        with pytest.raises(SessionEnded, match="create a new one"):
            await refused


async def test_an_ended_session_is_forgotten_after_the_retention(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    brief = SessionStore(redis, retention_s=1.0)
    await brief.create(spec, [WATCH])
    await brief.take(KEY, 1)
    await brief.set_status(KEY, "codec", "{}")
    await brief.end(KEY, "done")
    await eventually(lambda: _gone(redis), what="every key has expired")
    await eventually(lambda: _has_none(brief), what="nor is it listed, a millisecond later at most")
    with pytest.raises(UnknownSession):
        await brief.spec(KEY)


async def test_what_is_written_after_the_end_is_forgotten_with_the_session(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec, [WATCH])
    await store.take(KEY, 1)
    await store.end(KEY, "done")
    await store.set_status(KEY, "codec", "late")
    assert await store.status(KEY) == {"codec": "late"}
    assert await _is_kept_for_at_most(redis, 3_600_000)


async def test_an_ended_session_can_be_forgotten_sooner_and_an_open_one_cannot(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec, [WATCH])
    await store.take(KEY, 1)
    await store.erase(KEY, 0.2)
    assert await redis.pttl(session_keys(KEY)[0]) == -1, "it is open"
    await store.end(KEY, "done")
    await store.erase(KEY, 60.0)
    await store.erase(KEY, 3_600.0)  # what is forgotten soon is not kept for longer
    await store.set_status(KEY, "codec", "late")
    assert await _is_kept_for_at_most(redis, 60_000)
    await store.erase(KEY, 0.2)
    await eventually(lambda: _gone(redis), what="every key has expired")
    await eventually(lambda: _has_none(store), what="nor is it listed")
    with pytest.raises(UnknownSession):
        await store.erase(KEY, 0.2)


async def _has_none(store: SessionStore) -> bool:
    return await store.sessions("demo") == []


async def _is_kept_for_at_most(redis: Redis, most_ms: int) -> bool:
    left = [int(await redis.pttl(name)) for name in session_keys(KEY)]
    return any(ms > 0 for ms in left) and all(ms == -2 or 0 < ms <= most_ms for ms in left)


async def _gone(redis: Redis) -> bool:
    return int(await redis.exists(*session_keys(KEY))) == 0


async def test_an_unknown_session_is_unknown_to_every_call(store: SessionStore, spec: SessionSpec) -> None:
    for call in (
        store.spec(KEY),
        store.change_spec(KEY, lambda before: before),
        store.take(KEY, 1),
        store.submit(KEY, Reset()),
        store.history(KEY),
        store.set_origin(KEY, 1),
        store.set_status(KEY, "codec", "{}"),
        store.end(KEY, "done"),
    ):
        with pytest.raises(UnknownSession, match="no session demo/s-1"):
            await call
    assert await store.frames(KEY, ["a"]) == {}
    assert await store.log(KEY) == ()


async def test_a_new_session_has_no_history(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    assert await store.history(KEY) == SessionState()


async def test_a_stored_value_that_cannot_be_read_names_the_session(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec)
    await redis.set(session_keys(KEY)[0], b'{"tenant": 1}')
    with pytest.raises(StoreCorrupt, match="SessionSpec of session demo/s-1"):
        await store.spec(KEY)


async def test_without_a_server_calls_say_so() -> None:
    async with open_redis(f"redis://127.0.0.1:{free_port()}/0") as client:
        store = SessionStore(client)
        for call in (store.ping(), store.spec(KEY), store.submit(KEY, Reset()), store.sessions("demo")):
            with pytest.raises(StoreUnavailable, match="check that it runs"):
                await call


async def test_everything_is_there_after_a_crash_of_the_server(
    store: SessionStore, spec: SessionSpec, redis_server: RedisServer
) -> None:
    await store.create(spec, [WATCH])
    await redis_server.restart()
    await store.ping()
    assert await store.spec(KEY) == spec
    await store.submit(KEY, Reset())
    assert await store.commands(KEY) == (WATCH, Reset())
