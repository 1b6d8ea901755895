"""A tick is committed at once, by the holder of the fence only, or not at all."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources

import pytest
from redis.asyncio import Redis

from vigil.contract.outgoing import PROTOBUF, Outgoing
from vigil.core.alert import Alert
from vigil.core.command import Ask, Command, Reset
from vigil.core.ids import SessionKey
from vigil.core.instruction import Instruction, Watch
from vigil.core.message import Image, Text
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.turn import Exchange, FrameRef, Turn
from vigil.runtime.errors import FenceLost, SessionEnded, StoreFull, UnknownSession
from vigil.runtime.store import redis_client
from vigil.runtime.store.bounds import MAX_OUTBOX
from vigil.runtime.store.commit_arguments import commit_arguments
from vigil.runtime.store.keys import Part, part_key, session_keys
from vigil.runtime.store.sessions import Commit, LoggedTurn, SessionStore, Taken, Waiting

KEY = SessionKey("demo", "s-1")
WATCH = Watch("fire")


def turn(sequence: int) -> Turn:
    """A turn with one frame."""
    frame = FrameRef(f"frame-{sequence}", 160, 96)
    return Turn(sequence, sequence * 1_000, (frame,), "</silence>", ("What do you see?",) if sequence == 0 else ())


def state(turns: Sequence[Turn], chunk: int = 0) -> SessionState:
    """The state after these turns, with something in every field."""
    return SessionState(
        next_sequence=turns[-1].sequence + 1,
        last_time_ms=turns[-1].time_ms,
        chunk=Chunk(chunk, (Text("prefix"), Image(FrameRef("key", 160, 96))), tuple(turns)),
        instructions=(Instruction("w-1", "Alert me when a fire starts.", WATCH),),
        alerts=(Alert("s-1-fire-0", "w-1", WATCH, "A fire has started.", 5, 0, 0),),
        dialogue=(Exchange("What do you see?", 0, "A fire.", 0),),
        malformed_total=1,
    )


def outgoing(number: int) -> Outgoing:
    """A message of the outbox; its payload is not UTF-8."""
    return Outgoing("vigil.v1.decision.demo.s-1", f"decision.{number}", b"\xff\x00%d" % number, PROTOBUF, "trace")


def tick(sequence: int, before: Sequence[Turn] = (), published: int = 0, consumed: int = 0) -> Commit:
    """The commit of turn `sequence`, which comes after the turns `before` of its chunk."""
    return Commit(
        state=state([*before, turn(sequence)]),
        turn=turn(sequence),
        frames=((f"frame-{sequence}", b"jpeg %d" % sequence),),
        outgoing=(outgoing(sequence),),
        published=published,
        consumed=consumed,
    )


async def test_what_is_committed_is_taken_over(store: SessionStore, spec: SessionSpec) -> None:
    question = Ask("q-1", "What do you see?")
    await store.create(spec, [question])
    assert replace(await store.take(KEY, 1), id="") == Taken(spec, SessionState(), (), Waiting((question,)))
    assert await store.commit(KEY, 1, tick(0, consumed=1)) == Waiting()
    await store.submit(KEY, Reset())
    assert await store.commit(KEY, 1, tick(1, [turn(0)], published=1)) == Waiting((Reset(),))
    expected = state([turn(0), turn(1)])
    assert replace(await store.take(KEY, 2), id="") == Taken(spec, expected, (outgoing(1),), Waiting((Reset(),)))
    assert await store.history(KEY) == expected
    assert await store.frames(KEY, ["frame-0", "other", "frame-1"]) == {"frame-0": b"jpeg 0", "frame-1": b"jpeg 1"}
    assert await store.log(KEY) == (
        LoggedTurn(0, 0, "</silence>", ("What do you see?",)),
        LoggedTurn(1, 1_000, "</silence>"),
    )
    assert await store.log(KEY, last=1) == (LoggedTurn(1, 1_000, "</silence>"),)


async def test_a_worker_that_was_overtaken_writes_nothing(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, tick(0))
    await store.take(KEY, 2)
    with pytest.raises(FenceLost, match="taken over by another worker"):
        await store.commit(KEY, 1, tick(1, [turn(0)], published=1))
    with pytest.raises(FenceLost):
        await store.take(KEY, 1)
    taken = await store.take(KEY, 2)
    assert taken.state == state([turn(0)])
    assert taken.outbox == (outgoing(0),)
    assert await store.frames(KEY, ["frame-1"]) == {}


async def test_a_worker_is_overtaken_when_a_higher_fence_has_taken_the_session(
    store: SessionStore, spec: SessionSpec
) -> None:
    assert await store.is_overtaken(KEY, 1), "a session that is not there needs nobody"
    await store.create(spec)
    assert not await store.is_overtaken(KEY, 1), "nobody has taken it yet"
    await store.take(KEY, 1)
    assert not await store.is_overtaken(KEY, 1)
    await store.take(KEY, 2)
    assert await store.is_overtaken(KEY, 1)
    assert not await store.is_overtaken(KEY, 2)
    await store.end(KEY, "the client ended it")
    assert await store.is_overtaken(KEY, 2), "a session that has ended waits for nobody"


async def test_of_two_workers_that_race_one_session_every_turn_is_written_once(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)

    async def work(fence: int) -> int:
        """Take the session and commit as long as it is ours."""
        commits = 0
        try:
            before = list((await store.take(KEY, fence)).state.chunk.turns)
            while len(before) < 60:
                await store.commit(KEY, fence, tick(len(before), before))
                before.append(turn(len(before)))
                commits += 1
        except FenceLost:
            pass
        return commits

    counts = await asyncio.gather(*(work(fence) for fence in (1, 2, 3, 4)))
    taken = await store.take(KEY, 5)
    assert sum(counts) == 60
    assert taken.state.chunk.turns == tuple(turn(number) for number in range(60))
    assert [one.message_id for one in taken.outbox] == [f"decision.{number}" for number in range(60)]


async def test_a_commit_that_is_sent_twice_is_done_once(store: SessionStore, spec: SessionSpec, redis: Redis) -> None:
    """As redis-py does when a connection breaks before the answer has come."""
    await store.create(spec, [Reset(), Reset()])
    await store.take(KEY, 1)
    script = redis_client.script(redis, "vigil.runtime.store", "session", "commit")
    arguments = commit_arguments(1, tick(0, consumed=1))
    first = await script(keys=session_keys(KEY), args=arguments)
    assert await script(keys=session_keys(KEY), args=arguments) == first
    taken = await store.take(KEY, 1)
    assert taken.state == state([turn(0)])
    assert taken.outbox == (outgoing(0),)
    assert taken.waiting == Waiting((Reset(),))


async def test_a_new_chunk_replaces_the_turns_and_drops_the_frames_they_do_not_show(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    for number in range(4):
        await store.commit(KEY, 1, tick(number, [turn(one) for one in range(number)]))
    tail = [turn(3), turn(4)]
    restart = replace(tick(4), state=state(tail, chunk=1), restart=True)
    await store.commit(KEY, 1, restart)
    assert (await store.history(KEY)) == state(tail, chunk=1)
    assert set(await store.frames(KEY, [f"frame-{number}" for number in range(5)])) == {"frame-3", "frame-4"}
    assert [entry.sequence for entry in await store.log(KEY)] == [0, 1, 2, 3, 4]


async def test_commands_that_come_during_a_tick_stay(store: SessionStore, spec: SessionSpec) -> None:
    shown: tuple[Command, ...] = (Ask("q-1", "What do you see?"),)
    await store.create(spec, shown)
    await store.take(KEY, 1)
    await store.submit(KEY, Ask("q-2", "And now?"))
    assert await store.commit(KEY, 1, tick(0, consumed=len(shown))) == Waiting((Ask("q-2", "And now?"),))


async def test_an_outbox_that_is_full_refuses_the_whole_tick(store: SessionStore, spec: SessionSpec) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    many = tuple(outgoing(number) for number in range(MAX_OUTBOX))
    await store.commit(KEY, 1, replace(tick(0), outgoing=many))
    with pytest.raises(StoreFull, match="512 messages") as caught:
        await store.commit(KEY, 1, tick(1, [turn(0)]))
    assert caught.value.retryable
    assert (await store.take(KEY, 1)).state == state([turn(0)])
    await store.commit(KEY, 1, tick(1, [turn(0)], published=1))
    assert len((await store.take(KEY, 1)).outbox) == MAX_OUTBOX


async def test_redis_without_memory_refuses_the_whole_tick(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, tick(0))
    await redis.config_set("maxmemory", "1")
    with pytest.raises(StoreFull, match="no memory left"):
        await store.commit(KEY, 1, replace(tick(1), state=state([turn(1)], chunk=1), restart=True, published=1))
    await redis.config_set("maxmemory", "0")
    taken = await store.take(KEY, 1)
    assert taken.state == state([turn(0)])
    assert taken.outbox == (outgoing(0),)


async def test_redis_without_memory_lets_a_session_end(store: SessionStore, spec: SessionSpec, redis: Redis) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.commit(KEY, 1, tick(0))
    await redis.config_set("maxmemory", "1")
    await store.end(KEY, "to make room")
    await redis.config_set("maxmemory", "0")
    ended = await store.ended(KEY)
    assert ended is not None
    assert ended.reason == "to make room"
    assert await store.sessions(KEY.tenant) == [KEY]
    assert await store.frames(KEY, [frame.uuid for frame in turn(0).frames]) == {}


async def test_redis_without_memory_refuses_a_new_session(store: SessionStore, spec: SessionSpec, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    with pytest.raises(StoreFull, match="no memory left"):
        await store.create(spec)
    await redis.config_set("maxmemory", "0")
    with pytest.raises(UnknownSession):
        await store.spec(KEY)


async def test_an_ended_session_takes_a_last_commit_that_does_not_outlive_it(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec)
    await store.take(KEY, 1)
    await store.end(KEY, "done")
    taken = await store.take(KEY, 1)
    assert taken.ended is not None
    assert taken.ended.reason == "done"
    with pytest.raises(SessionEnded):
        await store.commit(KEY, 1, tick(0))
    await store.commit(KEY, 1, replace(tick(0), turn=None))
    left = [int(await redis.pttl(key)) for key in session_keys(KEY)]
    assert all(ms == -2 or 0 < ms <= 3_600_000 for ms in left), left


async def test_a_commit_that_comes_late_cannot_overwrite_what_was_built_without_it(
    store: SessionStore, spec: SessionSpec
) -> None:
    await store.create(spec)
    first = await store.take(KEY, 1)
    late = replace(tick(0), after=first.id)
    second = await store.take(KEY, 1)  # the same worker and fence, after it gave the commit up
    await store.commit(KEY, 1, replace(tick(0), after=second.id))
    with pytest.raises(FenceLost):
        await store.commit(KEY, 1, late)
    assert (await store.history(KEY)).next_sequence == 1


async def test_a_session_that_is_not_confirmed_is_forgotten(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec, [Reset()], confirmed=False)
    left = [int(await redis.pttl(key)) for key in session_keys(KEY)]
    assert all(ms == -2 or 0 < ms <= 60_000 for ms in left), left
    await store.confirm(KEY)
    assert {int(await redis.pttl(key)) for key in session_keys(KEY)} == {-1, -2}
    assert await store.sessions(KEY.tenant) == [KEY]


async def test_a_session_that_is_gone_cannot_be_committed_to(store: SessionStore) -> None:
    with pytest.raises(UnknownSession):
        await store.commit(KEY, 1, tick(0))


def dialogue(exchanges: int) -> tuple[Exchange, ...]:
    """Questions and answers as people put them."""
    return tuple(
        Exchange(
            f"What is the {number}th person in the lobby doing?", number * 60_000, "Reading a paper.", number * 60_500
        )
        for number in range(exchanges)
    )


def sent(before: SessionState, after: SessionState) -> int:
    """Bytes that the commit of a silent turn sends to Redis, without its frame and its messages."""
    commit = Commit(after, after.chunk.turns[-1], after="the last commit", before=before)
    return sum(
        len(str(argument)) if isinstance(argument, int) else len(argument) for argument in commit_arguments(1, commit)
    )


def silent_turn_bytes(exchanges: int, prefix_chars: int = 0) -> int:
    chunk = Chunk(1, (Text("x" * prefix_chars),), (turn(1), turn(2)))
    before = SessionState(3, 2_000, chunk, state([turn(0)]).instructions, dialogue=dialogue(exchanges))
    after = replace(before, next_sequence=4, last_time_ms=3_000, chunk=replace(chunk, turns=(*chunk.turns, turn(3))))
    return sent(before, after)


def test_a_silent_turn_costs_the_same_whatever_was_said_before() -> None:
    assert silent_turn_bytes(20) == silent_turn_bytes(0) == silent_turn_bytes(20, prefix_chars=10_000)
    assert silent_turn_bytes(20) < 500, silent_turn_bytes(20)


async def test_only_what_changed_is_written_and_all_of_it_is_read(
    store: SessionStore, spec: SessionSpec, redis: Redis
) -> None:
    await store.create(spec)
    taken = await store.take(KEY, 1)
    first = replace(tick(0), after=taken.id, before=taken.state)
    await store.commit(KEY, 1, first)
    assert await store.history(KEY) == first.state
    await redis.set(part_key(KEY, Part.DIALOGUE), b"[]")  # would be written again if the commit held it
    quiet = replace(first.state, next_sequence=2, last_time_ms=1_000, alerts=())
    second = Commit(quiet, after=first.id, before=first.state)
    await store.commit(KEY, 1, second)
    assert await store.history(KEY) == replace(quiet, dialogue=())
    asked = replace(quiet, dialogue=dialogue(2))
    await store.commit(KEY, 1, Commit(asked, after=second.id, before=quiet))
    assert (await store.take(KEY, 2)).state == asked


def test_what_the_store_holds_is_known_only_after_a_certain_commit() -> None:
    with pytest.raises(ValueError, match="needs `after`"):
        Commit(SessionState(), before=SessionState())


def test_scripts_name_the_keys_in_the_order_of_the_parts() -> None:
    text = (resources.files("vigil.runtime.store") / "lua" / "session.lua").read_text("utf-8")
    lines = re.findall(r"^local ([A-Z, ]+) = unpack", text, re.MULTILINE)
    named = [name for line in lines for name in line.split(", ")]
    assert named == [part.name for part in Part][: len(named)]
    for name, place in re.findall(r"^local ([A-Z]+) = KEYS\[(\d+)\]", text, re.MULTILINE):
        assert list(Part)[int(place) - 1].name == name
