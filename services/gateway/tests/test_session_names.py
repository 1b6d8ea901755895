"""Names that clients give their sessions, and which session a name means."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from vigil.core.errors import InvalidToken
from vigil.core.ids import SessionKey, token
from vigil.runtime.store.keys import newest_key
from vigil.runtime.store.names import KEPT_S, SessionNames
from vigil.testing.eventually import DEADLINE_S
from vigil_gateway.sessions.session_id import MAX_NAME_CHARS, id_of_name, may_begin

KITCHEN = SessionKey("demo", "kitchen")


@pytest.mark.parametrize("name", ["kitchen", "cam_1", "s-1", "x" * 64])
def test_a_name_that_may_stand_in_subjects_is_the_id(name: str) -> None:
    assert id_of_name(name) == name


@pytest.mark.parametrize(
    ("name", "begins_with"),
    [
        ("cam.1", "cam-1-"),
        ("front door", "front-door-"),
        ("a/b:c", "a-b-c-"),
        ("küche", "k-che-"),
        ("*", "session-"),
        (">", "session-"),
        ("x" * 65, "x" * 48 + "-"),
    ],
)
def test_any_other_name_has_an_id_that_can_be_read(name: str, begins_with: str) -> None:
    found = id_of_name(name)
    assert found.startswith(begins_with)
    assert found == id_of_name(name)
    assert may_begin(found)


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME_CHARS + 1), "a\nb", "a\x00b"])
def test_what_nobody_could_show_is_no_name(name: str) -> None:
    with pytest.raises(InvalidToken, match="is not allowed"):
        id_of_name(name)


@given(st.text(min_size=1, max_size=MAX_NAME_CHARS), st.text(min_size=1, max_size=MAX_NAME_CHARS))
def test_every_id_is_a_token_and_different_names_have_different_ids(name: str, other: str) -> None:
    ids = []
    for text in (name, other):
        try:
            ids.append(token(id_of_name(text), "session"))
        except InvalidToken:
            return
    assert (ids[0] == ids[1]) == (name == other)


async def test_a_name_means_the_newest_session_begun_under_it(redis: Redis) -> None:
    names = SessionNames(redis)
    assert await names.newest(KITCHEN) == KITCHEN
    second = await names.begin_anew(KITCHEN)
    assert second.session.startswith("kitchen-")
    assert await names.newest(KITCHEN) == second
    assert await names.newest(SessionKey("rival", "kitchen")) == SessionKey("rival", "kitchen")
    assert await names.newest(SessionKey("demo", "hall")) == SessionKey("demo", "hall")
    third = await names.begin_anew(KITCHEN)
    assert third != second
    assert await names.newest(KITCHEN) == third


async def test_a_name_that_is_used_is_not_forgotten(redis: Redis) -> None:
    names = SessionNames(redis)
    await names.begin_anew(KITCHEN)
    await redis.expire(newest_key(KITCHEN), 10)
    await names.newest(KITCHEN)
    assert await redis.ttl(newest_key(KITCHEN)) > KEPT_S - 10


async def test_a_long_name_keeps_room_for_the_next_ones_id(redis: Redis) -> None:
    longest = SessionKey("demo", "x" * 64)
    fresh = await asyncio.wait_for(SessionNames(redis).begin_anew(longest), DEADLINE_S)
    assert len(fresh.session) <= 64
