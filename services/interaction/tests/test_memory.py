"""Memory, end to end with a scripted memory service: blocks enter at chunk boundaries, and no turn waits for one."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from vigil.core.command import Ask, Reset
from vigil.core.memory import MemoryLimits, RequestKind
from vigil.core.session import Window
from vigil.runtime.store.bounds import MAX_KEY_FRAMES
from vigil.runtime.store.keys import Part, part_key, session_keys
from vigil.runtime.store.sessions import SessionStore
from vigil.testing.eventually import DEADLINE_S, eventually
from vigil.testing.script import Reply, Seen
from vigil.testing.scripted_engine import ScriptedEngine
from vigil.testing.scripted_memory import ScriptedMemory, span_words

Stage = Any  # the fixture of conftest.py, which importlib mode does not let tests import

CHUNK, TAIL, LEAD = 12, 4, 3
NEW = CHUNK - TAIL  # turns that leave the prompt at each boundary
WINDOW = Window(CHUNK, TAIL)
FIRST = f"summary of 0 to {NEW}"


def opening(seen: Seen) -> str:
    """The text with which the prompt's first user message begins, where memory stands."""
    content = seen.body["messages"][1]["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def prompts(engine: ScriptedEngine) -> list[Seen]:
    """What the engine was asked for turns."""
    return [seen for seen in engine.seen if not seen.refused and seen.body["max_tokens"] != 1]


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def memory(stage: Stage) -> ScriptedMemory:
    """A memory service that is not at work yet."""
    stage.memory_lead_turns = LEAD
    return ScriptedMemory(stage.bus, stage.store)


async def test_a_summary_that_is_written_in_time_enters_with_the_next_chunk(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK - LEAD))
        await eventually(lambda: len(memory.written) == 1, what="the span is summarised ahead of the boundary")
        assert all(FIRST not in opening(seen) for seen in prompts(engine)), "it enters at the boundary alone"
        await stage.watch(*[grey] * (LEAD + 2), start=CHUNK - LEAD)
        state = await stage.store.history(stage.key)
        archive = await stage.store.archive(stage.key)
        left = await stage.redis.hlen(part_key(stage.key, Part.FRAMES))
    (request,) = memory.requests
    assert (request.kind, request.from_ms, request.to_ms) == (RequestKind.SUMMARY, 0, NEW * 1_000)
    assert [frame.time_ms for frame in request.frames] == [second * 1_000 for second in range(NEW)]
    assert request.due_us > request.requested_at_us
    assert [block.text for block in state.memory.blocks] == [FIRST]
    assert state.memory.unwritten == ()
    asked = prompts(engine)
    assert [FIRST in opening(seen) for seen in asked[-4:]] == [False, False, True, True]
    assert len(asked[CHUNK].uuids) == TAIL + 1, "its pictures are gone from the prompt"
    assert left == len(state.chunk.frames)
    (entry,) = archive.blocks
    pictures = await stage.store.key_frames(stage.key, entry.frames)
    assert (entry.block.text, set(pictures.values())) == (FIRST, {grey})


async def test_without_a_memory_service_key_frames_carry_the_session(
    stage: Stage, engine: ScriptedEngine, grey: bytes
) -> None:
    stage.memory_lead_turns = LEAD
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True, key_frames=2))
    async with stage.worker():
        await stage.watch(*[grey] * (CHUNK + 6 * NEW))
        state = await stage.store.history(stage.key)
        decisions = await stage.decisions(CHUNK + 6 * NEW)
        kept = await stage.store.frames(stage.key, [frame.uuid for frame in state.chunk.frames])
    assert [decision.sequence for decision in decisions] == list(range(CHUNK + 6 * NEW)), "no turn is missing"
    assert state.memory.blocks == ()
    assert state.memory.unwritten, "spans wait for their summaries"
    assert state.memory.pictures > 0
    assert len(kept) == len(state.chunk.frames) == state.memory.pictures + len(state.chunk.turns)
    assert (
        max(len(seen.uuids) for seen in prompts(engine)) <= CHUNK + MemoryLimits(is_on=True, key_frames=2).most_pictures
    )


async def test_a_summary_that_comes_late_enters_at_the_next_boundary_in_place_of_its_key_frames(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    memory.gate.clear()
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True, key_frames=2))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK + 1))
        between = await stage.store.history(stage.key)
        memory.gate.set()
        await eventually(lambda: FIRST in map(span_words, memory.requests) and memory.written, what="it is written")
        await stage.watch(grey, start=CHUNK + 1)
        assert FIRST not in opening(prompts(engine)[-1]), "not within a chunk"
        await stage.watch(*[grey] * NEW, start=CHUNK + 2)
        after = await stage.store.history(stage.key)
    assert [(span.from_ms, span.to_ms, len(span.frames)) for span in between.memory.unwritten] == [(0, NEW * 1_000, 2)]
    assert after.memory.blocks[0].text == FIRST
    assert FIRST in opening(prompts(engine)[-1])


async def test_a_summariser_that_never_ends_or_writes_nothing_delays_no_turn(
    stage: Stage, memory: ScriptedMemory, grey: bytes
) -> None:
    memory.gate.clear()
    memory.words = lambda _: ""
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK + 2 * NEW))
        waiting = len(memory.requests)
        memory.gate.set()
        await stage.watch(*[grey] * NEW, start=CHUNK + 2 * NEW)
        decisions = await stage.decisions(CHUNK + 3 * NEW)
    assert waiting > 0
    assert [decision.sequence for decision in decisions] == list(range(CHUNK + 3 * NEW))


async def test_the_next_worker_takes_over_what_waits(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker("worker-1"), memory.working():
        await stage.watch(*[grey] * (CHUNK - LEAD))
        await eventually(lambda: len(memory.written) == 1, what="the span is summarised")
    async with stage.worker("worker-2"):
        await stage.watch(*[grey] * (LEAD + 1), start=CHUNK - LEAD)
    assert FIRST in opening(prompts(engine)[-1])


async def test_blocks_are_merged_off_the_tick_and_what_is_kept_stays_bounded(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    chunks = 12
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True, mid_blocks=3))
    async with stage.worker(), memory.working():
        for chunk in range(chunks):
            await stage.watch(*[grey] * NEW, start=chunk * NEW)
            await eventually(lambda: len(memory.written) == len(memory.requests), what="what was asked is written")
        state = await stage.store.history(stage.key)
        pictures = await stage.redis.hlen(part_key(stage.key, Part.KEYFRAMES))
        memory_bytes = await stage.redis.strlen(part_key(stage.key, Part.MEMORY))
    assert {request.kind for request in memory.requests} == {RequestKind.SUMMARY, RequestKind.MERGE}
    levels = [block.level for block in state.memory.blocks]
    assert levels == sorted(levels, reverse=True), "the coarse blocks come first"
    assert max(levels) >= 1
    assert levels.count(0) <= MemoryLimits(is_on=True, mid_blocks=3).most_mid_blocks
    assert pictures <= MAX_KEY_FRAMES
    assert memory_bytes < 8_000
    ends = [block.to_ms for block in state.memory.blocks]
    begins = [block.from_ms for block in state.memory.blocks]
    assert begins == [0, *ends[:-1]], "without a gap"


async def test_a_question_gets_what_memory_holds_about_it_in_its_turn_alone(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    stage.recall_deadline_s = DEADLINE_S
    memory.lines = lambda _: ["At 3 seconds a red van came."]
    before = figure("vigil_turn_recalls_total", outcome="found")
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK + 1))
        await stage.store.submit(stage.key, Ask("q-1", "When did the van come?"))
        await stage.nudge()
        await eventually(lambda: _shown_text(stage, engine, grey, "When did the van come?"), what="it is asked")
        await stage.watch(grey, start=(await stage.store.history(stage.key)).next_sequence + 1)
    (asked,) = {question.question: question for question in memory.questions}.values()
    assert asked.known_from_ms == NEW * 1_000, "the raw turns are in the prompt"
    (turn,) = [seen for seen in prompts(engine) if "When did the van come?" in seen.text]
    assert "At 3 seconds a red van came." in turn.text
    assert "At 3 seconds a red van came." not in prompts(engine)[-1].text
    assert figure("vigil_turn_recalls_total", outcome="found") == before + 1


@pytest.mark.parametrize(("is_there", "outcome"), [(True, "late"), (False, "absent")])
async def test_a_question_whose_recall_does_not_come_goes_without(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes, is_there: bool, outcome: str
) -> None:
    memory.lines = lambda _: None
    stage.recall_deadline_s = 0.05 if is_there else DEADLINE_S  # that nobody is there is known at once
    before = figure("vigil_turn_recalls_total", outcome=outcome)
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker():
        async with memory.working():
            await stage.watch(*[grey] * (CHUNK + 1))
            if is_there:
                await _ask(stage, engine, grey)
        if not is_there:
            await _ask(stage, engine, grey)
    assert figure("vigil_turn_recalls_total", outcome=outcome) > before


async def test_nothing_is_recalled_for_a_session_without_memory(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    await stage.open(Ask("q-1", "What do you see?"), window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(grey, grey)
    assert memory.questions == []


async def test_a_reset_forgets_all_memory_and_what_was_archived(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    engine.script = lambda seen: Reply("</response> A grey wall.") if "What do you see?" in seen.text else Reply()
    await stage.open(Ask("q-1", "What do you see?"), window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK + 1))
        held = await stage.store.archive(stage.key)
        await stage.store.submit(stage.key, Reset())
        await stage.nudge()
        await eventually(lambda: _is_reset(stage, grey), what="the session was reset")
        state = await stage.store.history(stage.key)
        archive = await stage.store.archive(stage.key)
        await stage.watch(*[grey] * (2 * CHUNK), start=state.next_sequence)
        later = await stage.store.history(stage.key)
    assert (len(held.blocks), len(held.exchanges)) == (1, 1)
    assert (archive.blocks, archive.exchanges, archive.key_frames) == ((), (), ())
    assert (state.memory.blocks, state.memory.unwritten) == ((), ())
    assert later.memory.blocks[0].from_ms == state.memory.forgotten_ms > 0


async def test_what_is_not_asked_for_costs_nothing(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=False))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK + 1))
        state = await stage.store.history(stage.key)
    assert memory.requests == []
    assert (state.memory.blocks, state.memory.unwritten) == ((), ())
    assert "Memory." not in opening(prompts(engine)[-1])


async def test_nothing_is_left_of_a_session_that_ended_once_its_retention_is_over(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    word, picture = "Xylophonist", grey
    memory.words = lambda _: f"The {word} waits."
    engine.script = lambda seen: Reply(f"</response> The {word}.") if "Who waits?" in seen.text else Reply()
    stage.store = SessionStore(stage.redis, retention_s=0.5)
    await stage.open(Ask("q-1", "Who waits?"), window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(*[picture] * (CHUNK - LEAD))
        await eventually(lambda: len(memory.written) == 1, what="the span is summarised")
        await stage.watch(*[picture] * (LEAD + 1), start=CHUNK - LEAD)
        held = await holding(stage.redis, word.encode(), picture)
        await stage.store.end(stage.key, "the client ended it")
        await stage.nudge()
        await eventually(lambda: _is_gone(stage), what="the retention is over")
        await eventually(lambda: _is_left_nowhere(stage, word.encode(), picture), what="nothing of it is left in Redis")
    parts = {name.rsplit(":", 1)[1] for name in held}
    assert {Part.MEMORY, Part.DIALOGUE, Part.ARCHIVE, Part.KEYFRAMES, Part.FRAMES} <= parts, "the search finds it"


async def holding(redis: Any, *planted: bytes) -> set[str]:
    """The keys of all of Redis whose value holds something that was planted."""
    values = {name.decode(): await _value(redis, name) async for name in redis.scan_iter("*")}
    return {name for name, value in values.items() if any(thing in value for thing in planted)}


async def _value(redis: Any, name: bytes) -> bytes:
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


async def _is_left_nowhere(stage: Stage, *planted: bytes) -> bool:
    return not await holding(stage.redis, *planted)


async def _is_gone(stage: Stage) -> bool:
    return not await stage.redis.exists(*session_keys(stage.key))


async def test_the_coming_chunk_is_warmed_with_the_memory_that_it_will_carry(
    stage: Stage, engine: ScriptedEngine, memory: ScriptedMemory, grey: bytes
) -> None:
    early = LEAD + 2
    stage.prewarm_turns, stage.memory_lead_turns = LEAD, early
    memory.words = lambda _: FIRST
    await stage.open(window=WINDOW, memory=MemoryLimits(is_on=True))
    async with stage.worker(), memory.working():
        await stage.watch(*[grey] * (CHUNK - early))
        await eventually(lambda: len(memory.written) == 1, what="the span is summarised")
        await stage.watch(*[grey] * early, start=CHUNK - early)
        await eventually(lambda: any(FIRST in opening(seen) for seen in engine.seen), what="the coming chunk is warm")
        (warmed, *_) = [seen for seen in reversed(engine.seen) if seen.body["max_tokens"] == 1]
        await stage.watch(grey, start=CHUNK)
    assert opening(prompts(engine)[-1]) == opening(warmed)


async def _ask(stage: Stage, engine: ScriptedEngine, grey: bytes) -> None:
    await stage.store.submit(stage.key, Ask("q-1", "When did the van come?"))
    await stage.nudge()
    await eventually(lambda: _shown_text(stage, engine, grey, "When did the van come?"), what="it is asked")


async def _shown_text(stage: Stage, engine: ScriptedEngine, grey: bytes, text: str) -> bool:
    """Show another second, unless the engine has been asked with this text."""
    if any(text in seen.text for seen in prompts(engine)):
        return True
    await stage.watch(grey, start=(await stage.store.history(stage.key)).last_time_ms // 1_000 + 1)
    return False


async def _is_reset(stage: Stage, grey: bytes) -> bool:
    state = await stage.store.history(stage.key)
    if state.memory.forgotten_ms > 0:
        return True
    await stage.watch(grey, start=state.last_time_ms // 1_000 + 1)
    return False
