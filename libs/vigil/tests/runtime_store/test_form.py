"""The form of what is stored: the former release's is read and taken over, a newer one is left alone, in words."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from vigil.core.command import Reset
from vigil.core.modules import Modules
from vigil.core.session import SessionSpec, Window
from vigil.core.source import Role
from vigil.core.turn import Result
from vigil.runtime.errors import FenceLost, StoreNewer
from vigil.runtime.placement.leases import Claim, Placement
from vigil.runtime.store import form
from vigil.runtime.store.keys import Part, part_key
from vigil.runtime.store.sessions import Commit, SessionStore, Taken, Waiting
from vigil.runtime.store.turn_lease import TurnLeases
from vigil.testing.former import restore
from vigil.testing.former.session import FENCE, KEY, OUTGOING, RESULT, SPEC, TURNS, WAITING, frames, state

NEWER = form.READ + 1


async def number(redis: Redis, part: Part) -> int | None:
    """The form that a part says it has; None when it says nothing."""
    data: Any = await redis.get(part_key(KEY, part))
    found: int | None = json.loads(data).get("form")
    return found


async def make_newer(redis: Redis, part: Part) -> bytes:
    """Store a part in a form of a later release, whose other fields nobody here knows; what it was before."""
    name = part_key(KEY, part)
    before: Any = await redis.get(name)
    await redis.set(name, b'{"form":%d,"what":"is not known"}' % NEWER)
    return bytes(before)


@pytest.mark.parametrize(("of_form", "is_of_old_form"), [(0, True), (1, False)])
async def test_the_former_releases_session_is_taken_over_whole(
    store: SessionStore, redis: Redis, of_form: int, is_of_old_form: bool
) -> None:
    """Neither of these releases knew modules: its sessions hear all of them, and its turns were told nothing."""
    await restore(redis, of_form)
    taken = await store.take(KEY, 4)
    waiting = Waiting((WAITING,), (RESULT,))
    assert replace(taken, id="") == Taken(SPEC, state(), (OUTGOING,), waiting, is_of_old_form=is_of_old_form)
    pictures = await store.frames(KEY, [uuid for uuid, _ in frames()])
    assert len(pictures) == TURNS
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures.values())
    assert [(entry.sequence, entry.observed) for entry in await store.log(KEY)] == [(turn, ()) for turn in range(TURNS)]
    assert taken.spec.modules == Modules()
    assert (await store.look(KEY)).waiting == waiting
    with pytest.raises(FenceLost):
        await store.take(KEY, FENCE)
    placement = Placement(redis)
    assert await placement.claim(Role.INTERACTION, "worker-4", 9) == [Claim(KEY, FENCE + 1, f"worker-{FENCE}")]
    assert await placement.claim(Role.CODEC, "codec-1", 9) == [Claim(KEY, 1)]
    assert await store.sessions("demo") == [KEY]


async def test_what_the_former_release_stored_has_no_number_and_gets_one(store: SessionStore, redis: Redis) -> None:
    await restore(redis, 0)
    assert [await number(redis, part) for part in (Part.SPEC, Part.HEAD)] == [None, None]
    taken = await store.take(KEY, 4)
    later = replace(taken.state, next_sequence=TURNS + 1)
    await store.commit(KEY, 4, Commit(later, restart=True, after=taken.id, consumed=1, consumed_results=1))
    await store.change_spec(KEY, lambda spec: replace(spec, window=Window(30, 5)))
    assert [await number(redis, part) for part in (Part.SPEC, Part.HEAD)] == [form.WRITTEN, form.WRITTEN]
    again = await store.take(KEY, 5)
    assert (again.state, again.spec.window, again.is_of_old_form) == (later, Window(30, 5), False)


async def test_commands_and_results_of_both_releases_wait_in_one_inbox(store: SessionStore, redis: Redis) -> None:
    await restore(redis, 0)
    other = Result("s-1-9", "It rains.")
    await store.submit(KEY, Reset())
    await store.submit_result(KEY, other)
    assert (await store.look(KEY)).waiting == Waiting((WAITING, Reset()), (RESULT, other))
    for part in (Part.INBOX, Part.RESULTS):
        entries: Any = await redis.lrange(part_key(KEY, part), 0, -1)
        assert [json.loads(entry).get("form") for entry in entries] == [None, form.WRITTEN]


async def test_all_that_is_stored_today_says_of_which_form_it_is(store: SessionStore, redis: Redis) -> None:
    await store.create(SPEC)
    taken = await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(state(), after=taken.id, before=taken.state))
    assert not (await store.take(KEY, 2)).is_of_old_form
    for part in (Part.SPEC, Part.HEAD):
        data: Any = await redis.get(part_key(KEY, part))
        assert data.startswith(b'{"form":%d,' % form.WRITTEN), "the scripts look for it there"


Call = Callable[[SessionStore, Redis], Awaitable[Any]]
SPEC_CALLS: dict[str, Call] = {
    "spec": lambda store, _: store.spec(KEY),
    "look": lambda store, _: store.look(KEY),
    "change_spec": lambda store, _: store.change_spec(KEY, lambda before: before),
    "take": lambda store, _: store.take(KEY, 9),
    "turn": lambda _, redis: TurnLeases(redis).claim(KEY),
}
HEAD_CALLS: dict[str, Call] = {
    "history": lambda store, _: store.history(KEY),
    "watched_until": lambda store, _: store.watched_until_us(KEY),
    "take": lambda store, _: store.take(KEY, 9),
    "turn": lambda _, redis: TurnLeases(redis).claim(KEY),
}
CALLS = [
    pytest.param(part, call, id=f"{part} {name}")
    for part, calls in ((Part.SPEC, SPEC_CALLS), (Part.HEAD, HEAD_CALLS))
    for name, call in calls.items()
]


@pytest.mark.parametrize(("part", "call"), CALLS)
async def test_a_newer_form_is_refused_in_words_and_nothing_changes(
    store: SessionStore, redis: Redis, part: Part, call: Call
) -> None:
    await restore(redis, 0)
    await make_newer(redis, part)
    before = await _all(redis)
    with pytest.raises(StoreNewer, match=rf"demo/s-1 is stored in a newer form than {form.READ}.*upgrade this one"):
        await call(store, redis)
    assert await _all(redis) == before


async def _all(redis: Redis) -> dict[Part, object]:
    """Every string of the session: what a take would write is among them."""
    client: Any = redis
    return {part: await client.get(part_key(KEY, part)) for part in (Part.SPEC, Part.HEAD, Part.FENCE, Part.LAST)}


@pytest.mark.parametrize("part", [Part.INBOX, Part.RESULTS])
async def test_a_newer_command_or_result_is_left_for_the_release_that_knows_it(
    store: SessionStore, redis: Redis, part: Part
) -> None:
    await restore(redis, 0)
    client: Any = redis
    await client.rpush(part_key(KEY, part), b'{"form":%d,"kind":"dance"}' % NEWER)
    with pytest.raises(StoreNewer, match="newer form"):
        await store.look(KEY)


async def test_the_holder_goes_on_while_an_older_release_fails_to_take_its_session(
    store: SessionStore, redis: Redis
) -> None:
    await restore(redis, 0)
    taken = await store.take(KEY, 4)
    before = await make_newer(redis, Part.HEAD)
    with pytest.raises(StoreNewer):
        await store.take(KEY, 5)
    assert not await store.is_overtaken(KEY, 4)
    await redis.set(part_key(KEY, Part.HEAD), before)
    await store.commit(KEY, 4, Commit(taken.state, after=taken.id))


async def test_a_session_of_a_newer_form_can_be_ended_and_looked_for(
    store: SessionStore, redis: Redis, spec: SessionSpec
) -> None:
    await store.create(spec)
    await make_newer(redis, Part.SPEC)
    assert await store.sessions("demo") == [KEY]
    await store.end(KEY, "the client ended it")
    ended = await store.ended(KEY)
    assert ended is not None
    assert ended.reason == "the client ended it"
