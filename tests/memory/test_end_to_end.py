"""Memory as it is deployed: blocks that the memory service writes with a chat model enter the prompts of interaction at
chunk boundaries, questions get what it recalls, and nothing is left of a session that ended."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from memory_stage import CHUNK, KEY, LEAD, NEW, ScriptedChat, Stage, opening, picture
from redis.asyncio import Redis

from vigil.contract import subjects
from vigil.contract.events.envelope import CloudEvent, decode_event
from vigil.contract.streams import DEAD_LETTERS, MEMORY_EVENTS, MEMORY_REQUESTS, STREAMS, StreamSpec
from vigil.core.command import Ask
from vigil.runtime.bus.client import Bus
from vigil.runtime.bus.recall import recall
from vigil.runtime.store.keys import Part, session_keys
from vigil.testing.eventually import eventually
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.servers import NatsServer, RedisServer
from vigil.v1 import memory_pb2 as pb
from vigil_memory.recall.metrics import VECTOR_BYTES

QUESTION = "When did the xylophone come?"


def words(from_s: int, to_s: int) -> str:
    """The exact summary of a span."""
    return (
        f"A xylophone stands at the door.\nAt {from_s + 3} seconds a xylophone came. Nobody left until {to_s} seconds."
    )


@pytest.fixture
async def stage(redis: Redis, bus: Bus, nats_server: NatsServer, redis_server: RedisServer) -> AsyncIterator[Stage]:
    """A stage without services and without a session yet."""
    async with ScriptedEngine() as engine, ScriptedChat(words) as chat:
        yield Stage(redis, bus, nats_server.url, redis_server.url, engine, chat)


async def test_a_block_is_written_and_stands_in_the_prompts_of_the_next_chunk(stage: Stage) -> None:
    await stage.open()
    async with stage.services():
        await stage.watch(*range(CHUNK - LEAD))
        await eventually(stage.written, what="the summary is written ahead of the boundary")
        await stage.watch(*range(CHUNK - LEAD, CHUNK + 1))
        state = await stage.store.history(KEY)
        events = await eventually(lambda: told(stage), what="it is told")
        await eventually(lambda: nothing_is_asked(stage), what="the request is done with")
    (asked,) = stage.chat.seen
    assert [url_of(part) for part in asked["messages"][1]["content"] if part["type"] == "image_url"] == [
        picture(second) for second in range(NEW)
    ]
    assert [(block.id, block.text) for block in state.memory.blocks] == [(f"0-{NEW}000-0", words(0, NEW))]
    assert state.memory.unwritten == ()
    before, first = stage.prompts()[-2:]
    assert "xylophone" not in opening(before)
    assert f"<0.0 seconds ~ {NEW - 1}.0 seconds>\n{words(0, NEW)}" in opening(first)
    assert [(event.type, event.data["block"]) for event in events] == [("vigil.memory.ready", f"0-{NEW}000-0")]


async def test_what_is_recalled_stands_in_the_prompt_of_its_question_alone(stage: Stage) -> None:
    stage.engine.script = answering
    await stage.open()
    async with stage.services():
        await remembering(stage)
        await stage.store.submit(KEY, Ask("q-1", QUESTION))
        await stage.bus.publish(subjects.command(KEY), b"")
        await eventually(lambda: asked_with(stage), what="it is asked")
        await stage.watch((await stage.store.history(KEY)).last_time_ms // 1_000 + 1)
    (turn,) = [seen for seen in stage.prompts() if QUESTION in seen.text]
    assert "[Recalled Memory]" in turn.text
    assert "At 3 seconds a xylophone came." in turn.text
    assert "xylophone came" not in stage.prompts()[-1].text


async def test_a_summariser_that_fails_costs_no_turn_and_its_block_enters_once_it_writes_again(stage: Stage) -> None:
    stage.chat.status = 500
    await stage.open()
    async with stage.services():
        await stage.watch(*range(CHUNK + 1))
        between = await stage.store.history(KEY)
        stage.chat.status = 200
        await eventually(stage.written, what="it is written")
        await stage.watch(*range(CHUNK + 1, CHUNK + NEW + 1))
        after = await stage.store.history(KEY)
    (span,) = between.memory.unwritten
    assert (between.memory.blocks, span.from_ms, span.to_ms, len(span.frames)) == ((), 0, NEW * 1_000, 2)
    assert words(0, NEW) in [block.text for block in after.memory.blocks]
    assert words(0, NEW) in opening(stage.prompts()[-1])
    assert after.next_sequence == CHUNK + NEW + 1, "no turn is missing"


async def test_what_a_question_means_is_recalled_and_its_vectors_go_with_the_session(stage: Stage) -> None:
    stage.embeds = True
    await stage.open()
    async with stage.services():
        await remembering(stage)
        lines = await eventually(lambda: recalled(stage, "Which instrument was heard?"), what="it is found")
        assert vector_bytes() > 0
        await stage.store.end(KEY, "the client ended it")
        await stage.bus.publish(subjects.command(KEY), b"")
        await eventually(lambda: not vector_bytes(), what="nothing that was derived from its words is left")
    assert "At 3 seconds a xylophone came." in lines


async def test_nothing_is_left_of_a_session_that_ended(stage: Stage) -> None:
    """The words of its memory and its pictures, in Redis and in every stream, also of a block that was given up."""
    stage.retention_s = 0.5
    pictures = [picture(second) for second in range(CHUNK + NEW)]
    planted = (b"xylophone", *pictures, *map(base64.b64encode, pictures))
    await stage.open()
    async with stage.services():
        await remembering(stage)
        held = {key.decode().rpartition(":")[2] for key in await holding(stage, *planted)}
        stage.chat.status = 401
        await stage.watch(*range(CHUNK + 1, CHUNK + NEW))
        await eventually(lambda: letters(stage), what="a block is given up")
        await stage.store.end(KEY, "the client ended it")
        await stage.bus.publish(subjects.command(KEY), b"")
        await eventually(lambda: is_gone(stage), what="the retention is over")
        await eventually(lambda: is_left_nowhere(stage, *planted), what="nothing of it is left in Redis")
        for stream in STREAMS:
            for payload in await payloads(stage.bus, stream):
                assert not any(thing in payload for thing in planted), (stream.name, payload)
    assert held >= {Part.MEMORY, Part.ARCHIVE, Part.KEYFRAMES, Part.FRAMES}, "the search finds it"


async def remembering(stage: Stage) -> None:
    """Go on into the second chunk, which has the block of the first."""
    await stage.watch(*range(CHUNK - LEAD))
    await eventually(stage.written, what="the summary is written")
    await stage.watch(*range(CHUNK - LEAD, CHUNK + 1))


async def recalled(stage: Stage, question: str) -> list[str]:
    """What the memory service finds about a question that is asked now."""
    time_ms = (await stage.store.history(KEY)).last_time_ms
    asked = pb.RecallRequest(tenant=KEY.tenant, session=KEY.session, question=question, time_ms=time_ms)
    return [line.text for line in (await recall(stage.bus, asked, 5.0)).lines]


def vector_bytes() -> float:
    """The vectors that the memory service of this process holds."""
    return float(VECTOR_BYTES._value.get())


def answering(seen: Seen) -> Reply:
    """Answers the question, and is silent else."""
    return Reply("</response> At three.") if QUESTION in seen.text else Reply()


async def asked_with(stage: Stage) -> bool:
    """Show another second, unless the engine was asked the question."""
    if any(QUESTION in seen.text for seen in stage.prompts()):
        return True
    await stage.watch((await stage.store.history(KEY)).last_time_ms // 1_000 + 1)
    return False


async def told(stage: Stage) -> list[CloudEvent]:
    """The events of memory."""
    return [decode_event(payload) for payload in await payloads(stage.bus, MEMORY_EVENTS)]


async def nothing_is_asked(stage: Stage) -> bool:
    """Whether no request for a block is left: it is acknowledged after its block was told of."""
    return (await stage.bus.size(MEMORY_REQUESTS)).messages == 0


async def letters(stage: Stage) -> list[bytes]:
    """The dead letters."""
    return await payloads(stage.bus, DEAD_LETTERS)


async def payloads(bus: Bus, stream: StreamSpec) -> list[bytes]:
    """All that a stream has; of a dead letter that holds another message, that message too."""
    found = [message.payload for message in (await bus.stored(stream, stream.family, 1, 1_000)).messages]
    return [payload + inner(payload) if stream is DEAD_LETTERS else payload for payload in found]


def inner(letter: bytes) -> bytes:
    """The bytes of the message that a dead letter is about."""
    return base64.b64decode(decode_event(letter).data["payload_base64"])


def url_of(part: Any) -> bytes:
    """The pixels of a picture that travelled."""
    return base64.b64decode(part["image_url"]["url"].partition(",")[2])


async def holding(stage: Stage, *planted: bytes) -> set[bytes]:
    """The keys of all of Redis whose value holds something that was planted."""
    dumps = {name: await value(stage.redis, name) async for name in stage.redis.scan_iter("*")}
    return {name for name, held in dumps.items() if any(thing in held for thing in planted)}


async def value(redis: Any, name: bytes) -> bytes:
    """All bytes under a key."""
    match await redis.type(name):
        case b"string":
            return await redis.get(name) or b""
        case b"list":
            return b" ".join(await redis.lrange(name, 0, -1))
        case b"hash":
            return b" ".join(piece for pair in (await redis.hgetall(name)).items() for piece in pair)
        case b"zset":
            return b" ".join(await redis.zrange(name, 0, -1))
    return b""


async def is_gone(stage: Stage) -> bool:
    return not await stage.redis.exists(*session_keys(KEY))


async def is_left_nowhere(stage: Stage, *planted: bytes) -> bool:
    return not await holding(stage, *planted)
