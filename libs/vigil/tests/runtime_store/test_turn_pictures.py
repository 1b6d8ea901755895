"""The pictures of turns, by turn: those of the current chunk, of this session, until it ends."""

from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from vigil.core.ids import SessionKey
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.turn import FrameRef, Turn
from vigil.runtime.errors import StoreUnavailable, UnknownSession
from vigil.runtime.store.sessions import Commit, SessionStore
from vigil.runtime.store.turn_pictures import TurnPicture, TurnPictures
from vigil.testing.servers import RedisServer

KEY = SessionKey("demo", "s-1")


def turn(sequence: int) -> Turn:
    """A turn of two frames."""
    frames = tuple(FrameRef(f"frame-{sequence}-{index}", 160, 96) for index in range(2))
    return Turn(sequence, sequence * 1_000, frames, "</silence>")


def picture(sequence: int, index: int) -> bytes:
    """Bytes that are no text."""
    return b"\xff\xd8\x00%d-%d" % (sequence, index)


def tick(sequence: int, before: Sequence[Turn], *, restart: bool = False) -> Commit:
    """The commit of that turn after the turns `before` of its chunk."""
    new = turn(sequence)
    frames = tuple((frame.uuid, picture(sequence, index)) for index, frame in enumerate(new.frames))
    state = SessionState(sequence + 1, new.time_ms, Chunk(int(restart), (), (*before, new)))
    return Commit(state, new, restart, frames)


@pytest.fixture
async def pictures(store: SessionStore, spec: SessionSpec, redis: Redis) -> TurnPictures:
    """Those of a session with four turns."""
    await store.create(spec)
    await store.take(KEY, 1)
    for number in range(4):
        await store.commit(KEY, 1, tick(number, [turn(before) for before in range(number)]))
    return TurnPictures(redis)


async def test_a_picture_is_found_by_its_turn_and_the_newest_by_that_word(pictures: TurnPictures) -> None:
    assert await pictures.of(KEY, 0, 1) == TurnPicture(0, "frame-0-1", picture(0, 1))
    assert await pictures.of(KEY, 3, 0) == await pictures.of(KEY, None, 0) == TurnPicture(3, "frame-3-0", picture(3, 0))


@pytest.mark.parametrize(("sequence", "index"), [(4, 0), (10**12, 0), (0, 2), (3, 7), (None, 2)])
async def test_a_turn_or_a_frame_that_never_was_has_no_picture(
    pictures: TurnPictures, sequence: int | None, index: int
) -> None:
    assert await pictures.of(KEY, sequence, index) is None


async def test_the_pictures_of_a_former_chunk_are_gone_but_for_the_turns_that_were_carried(
    pictures: TurnPictures, store: SessionStore
) -> None:
    await store.commit(KEY, 1, tick(4, [turn(3)], restart=True))
    assert [await pictures.of(KEY, sequence, 0) is not None for sequence in range(5)] == [False] * 3 + [True] * 2
    carried = await pictures.of(KEY, 3, 1)
    assert carried is not None
    assert carried.jpeg == picture(3, 1)


async def test_they_go_with_the_session(pictures: TurnPictures, store: SessionStore) -> None:
    await store.end(KEY, "enough")
    assert await pictures.of(KEY, None, 0) is None


async def test_a_session_without_a_turn_has_none_and_one_that_never_was_is_told(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec)
    assert await TurnPictures(redis).of(KEY, None, 0) is None
    for key in (SessionKey("rival", "s-1"), SessionKey("demo", "s-2")):
        with pytest.raises(UnknownSession):
            await TurnPictures(redis).of(key, None, 0)


async def test_without_redis_it_says_so(pictures: TurnPictures, redis_server: RedisServer) -> None:
    await redis_server.kill()
    with pytest.raises(StoreUnavailable):
        await pictures.of(KEY, None, 0)
