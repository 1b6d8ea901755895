"""Blocks of memory wait in an inbox of their own and are written once; what is archived is bounded and ends with the
session."""

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from redis.asyncio import Redis

from vigil.core.command import Reset
from vigil.core.ids import SessionKey
from vigil.core.memory import MAX_BLOCK_CHARS, Block, Memory, Unwritten
from vigil.core.message import Image, Text
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange, FrameRef, Turn
from vigil.runtime.errors import FenceLost, InboxFull, SessionEnded, UnknownSession
from vigil.runtime.store.bounds import MAX_ARCHIVE, MAX_ARCHIVE_BYTES, MAX_BLOCKS, MAX_KEY_FRAMES, MAX_RESULTS
from vigil.runtime.store.keys import Part, part_key, session_keys
from vigil.runtime.store.memory_archive import Archive, ArchivedBlock, field_of
from vigil.runtime.store.sessions import Commit, SessionStore, Waiting
from vigil.runtime.store.state_parts import encode_parts

KEY = SessionKey("demo", "s-1")
STATE = SessionState(1, 0)


def block(number: int, text: str = "A man reads.", level: int = 0) -> Block:
    """The summary of ten seconds."""
    begin_ms, end_ms = number * 10_000, (number + 1) * 10_000
    return Block(f"{begin_ms}-{end_ms}-{level}", level, begin_ms, end_ms, text)


def frame(number: int) -> KeyFrame:
    """The picture of one second."""
    return KeyFrame(f"f-{number}", number * 1_000)


def exchange(number: int, answer: str = "Reading.") -> Exchange:
    return replace(Exchange(f"What does person {number} do?", number * 1_000), closed_ms=number * 1_000 + len(answer))


async def test_a_block_waits_and_comes_with_every_look_until_a_commit_takes_it(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec, [Reset()])
    assert await store.write_block(KEY, block(0))
    assert (await store.take(KEY, 1)).waiting == Waiting((Reset(),), (), (block(0),))
    assert await store.write_block(KEY, block(1))
    assert (await store.look(KEY)).waiting.blocks == (block(0), block(1))
    assert await store.commit(KEY, 1, Commit(STATE, consumed=1)) == Waiting(blocks=(block(0), block(1)))
    assert await store.commit(KEY, 1, Commit(STATE, consumed_blocks=1)) == Waiting(blocks=(block(1),))
    with pytest.raises(FenceLost):
        await store.commit(KEY, 0, Commit(STATE, consumed_blocks=1))
    assert (await store.take(KEY, 2)).waiting.blocks == (block(1),), "the next worker finds it"


async def test_a_block_is_written_once_wherever_it_is_by_now(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    first, merged = block(0, 'He says: "id":"10000-20000-0".'), block(1, level=1)
    assert [await store.write_block(KEY, first) for _ in range(2)] == [True, False]
    assert not await store.write_block(KEY, replace(first, text="Other words."))
    assert await store.write_block(KEY, block(1)), "what a text says is no id"
    assert await store.write_block(KEY, merged)
    held = replace(STATE, memory=Memory((first, merged)))
    await store.commit(KEY, 1, Commit(held, consumed_blocks=3, archived=(ArchivedBlock(block(1)),)))
    for written in (first, block(1), merged):
        assert not await store.write_block(KEY, written), "the state or the archive has it"
    assert (await store.look(KEY)).waiting.blocks == ()


async def test_blocks_are_bounded_and_crowd_nothing_else_out(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    for number in range(MAX_BLOCKS):
        await store.write_block(KEY, block(number))
    with pytest.raises(InboxFull, match="32 blocks of memory waiting: try again after its next chunk") as caught:
        await store.write_block(KEY, block(MAX_BLOCKS))
    assert caught.value.retryable
    await store.submit(KEY, Reset())
    assert len((await store.look(KEY)).waiting.blocks) == MAX_BLOCKS > MAX_RESULTS


async def test_no_block_reaches_a_session_that_is_over_or_unknown(store: SessionStore, spec: SessionSpec) -> None:
    with pytest.raises(UnknownSession):
        await store.write_block(KEY, block(0))
    await store.create(spec)
    await store.write_block(KEY, block(0))
    await store.end(KEY, "the client ended it")
    with pytest.raises(SessionEnded):
        await store.write_block(KEY, block(1))
    assert (await store.take(KEY, 1)).waiting == Waiting()


def chunk(*numbers: int) -> Chunk:
    """A chunk whose turns show these frames, after a prefix with a key frame."""
    shown = tuple(FrameRef(f"f-{number}", 32, 32) for number in numbers)
    turns = tuple(Turn(number, number * 1_000, (ref,), "") for number, ref in zip(numbers, shown, strict=True))
    return Chunk(1, (Text("before"), Image(FrameRef("f-1", 32, 32))), turns)


async def test_a_new_chunk_keeps_exactly_the_frames_that_it_shows_and_those_of_spans_without_a_block(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    frames = tuple((f"f-{number}", b"jpeg %d" % number) for number in range(6))
    await store.commit(KEY, 1, Commit(STATE, frames=frames))
    span = Unwritten(0, 4_000, (FrameRef("f-1", 32, 32), FrameRef("f-3", 32, 32)), (1_000, 3_000), 1)
    after = replace(STATE, chunk=chunk(5), memory=Memory(unwritten=(span,)))
    await store.commit(KEY, 1, Commit(after, restart=True))
    left = await store.frames(KEY, [uuid for uuid, _ in frames])
    assert sorted(left) == ["f-1", "f-3", "f-5"]
    assert (await store.take(KEY, 2)).state == after


async def test_what_is_archived_is_read_oldest_first_and_an_exchange_takes_its_own_place_again(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    first = Commit(STATE, frames=(("f-2", b"second"), ("f-9", b"ninth")))
    await store.commit(KEY, 1, first)
    summary = ArchivedBlock(block(0), (frame(2), frame(9), frame(11)))
    archived = (exchange(12), summary, exchange(3))
    await store.commit(KEY, 1, Commit(STATE, archived=archived, key_frames=summary.frames, restart=True))
    await store.commit(KEY, 1, Commit(STATE, archived=(exchange(3, "Reading, and now leaving."),)))
    expected = (exchange(3, "Reading, and now leaving."), exchange(12))
    assert await store.archive(KEY) == Archive((summary,), expected, (frame(2), frame(9)))
    assert await store.key_frames(KEY, summary.frames) == {"f-2": b"second", "f-9": b"ninth"}
    assert await store.frames(KEY, ["f-2", "f-9"]) == {}
    assert await store.archive(SessionKey("demo", "other")) == Archive()


async def test_the_archive_is_bounded_in_texts_and_the_oldest_goes(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    numbers = range(MAX_ARCHIVE // 2 + 50)
    entries = [entry for number in numbers for entry in (ArchivedBlock(block(number)), exchange(10 * number + 1))]
    await store.commit(KEY, 1, Commit(STATE, archived=tuple(entries)))
    found = await store.archive(KEY)
    assert found.blocks == tuple(entries[100::2])
    assert found.exchanges == tuple(entries[101::2])
    await _is_counted(redis)


async def test_the_archive_is_bounded_in_bytes(store: SessionStore, spec: SessionSpec, redis: Redis) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    entries = [ArchivedBlock(block(number, "x" * MAX_BLOCK_CHARS)) for number in range(1_200)]
    for begin in range(0, len(entries), 100):
        await store.commit(KEY, 1, Commit(STATE, archived=tuple(entries[begin : begin + 100])))
    left = (await store.archive(KEY)).blocks
    assert left == tuple(entries[-len(left) :])
    assert MAX_ARCHIVE_BYTES - 2 * MAX_BLOCK_CHARS < await _is_counted(redis) <= MAX_ARCHIVE_BYTES


async def _is_counted(redis: Redis) -> int:
    """The bytes of the archive, which are as many as it counts itself."""
    client: Any = redis
    texts = await client.hgetall(part_key(KEY, Part.ARCHIVE))
    counted = int(texts.pop(b"bytes"))
    assert counted == sum(map(len, texts.values()))
    return counted


async def test_key_frames_are_bounded_and_those_that_are_left_are_spread_over_the_time(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    count = 4 * MAX_KEY_FRAMES
    await store.commit(KEY, 1, Commit(STATE, frames=tuple((f"f-{number}", b"jpeg") for number in range(count))))
    for number in range(count):
        await store.commit(KEY, 1, Commit(STATE, key_frames=(frame(number),)))
    times = [kept.time_ms // 1_000 for kept in (await store.archive(KEY)).key_frames]
    assert (len(times), times[0], times[-1]) == (MAX_KEY_FRAMES, 0, count - 1)
    assert max(after - before for before, after in pairwise(times)) <= 16, times


async def test_a_commit_that_forgets_leaves_nothing_of_what_was_archived(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(STATE, frames=(("f-2", b"second"),)))
    summary = ArchivedBlock(block(0), (frame(2),))
    await store.commit(KEY, 1, Commit(STATE, archived=(summary,), key_frames=summary.frames))
    await store.write_block(KEY, block(1))
    assert await store.commit(KEY, 1, Commit(STATE, forgets=True, archived=(exchange(40),))) == Waiting()
    assert await store.archive(KEY) == Archive(exchanges=(exchange(40),))


async def test_memory_ends_with_the_session(store: SessionStore, spec: SessionSpec, redis: Redis) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, Commit(STATE, frames=(("f-2", b"second"),)))
    summary = ArchivedBlock(block(0), (frame(2),))
    await store.commit(KEY, 1, Commit(STATE, archived=(summary,), key_frames=summary.frames))
    await store.write_block(KEY, block(1))
    await store.end(KEY, "the client ended it")
    archive = await store.archive(KEY)
    assert (archive.blocks, archive.key_frames) == ((summary,), ()), "pictures go at once"
    assert await redis.exists(part_key(KEY, Part.WRITTEN)) == 0
    left = [int(await redis.pttl(name)) for name in session_keys(KEY)]
    assert all(ms == -2 or 0 < ms <= 3_600_000 for ms in left), left


def test_memory_is_written_only_when_it_changed() -> None:
    before = replace(STATE, chunk=chunk(1), memory=Memory((block(0),)))
    quiet = replace(before, next_sequence=2, last_time_ms=1_000, chunk=chunk(1, 2))
    assert set(encode_parts(quiet, before)) == {Part.HEAD}
    more = replace(quiet, memory=Memory((block(0), block(1))))
    assert set(encode_parts(more, quiet)) == {Part.MEMORY}
    assert json.loads(encode_parts(more, quiet)[Part.MEMORY])["tiers"]["blocks"][1]["text"] == "A man reads."


def test_entries_of_the_archive_begin_with_their_time() -> None:
    assert field_of(ArchivedBlock(block(3))) == "30000-40000-0"
    assert field_of(exchange(3)).startswith("3000-q")
    assert field_of(exchange(3)) != field_of(replace(exchange(3), query="Who is there?"))
