"""What a turn moves into the archive: summaries that entered the state, and exchanges that are over. Pure."""

from dataclasses import replace

from vigil.core.memory import Block, Memory, Unwritten
from vigil.core.session import Chunk, SessionState
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange, FrameRef, Task, Turn
from vigil.runtime.store.memory_archive import ArchivedBlock
from vigil_interaction.archiving import FRAMES_OF_A_SPAN, archived, key_frames

TURNS = 10
TASK = Task("s-1-4", "Whose coat is that?", "Let me see.", 4_000, 124_000)


def ref(number: int) -> FrameRef:
    return FrameRef(f"f-{number}", 32, 32)


def raw(first: int = 0, count: int = TURNS) -> SessionState:
    """A state with one turn a second."""
    turns = tuple(Turn(number, number * 1_000, (ref(number),), "") for number in range(first, first + count))
    return SessionState(first + count, (first + count - 1) * 1_000, Chunk(1, (), turns))


def block(begin_s: int, end_s: int, level: int = 0) -> Block:
    return Block(f"{begin_s * 1_000}-{end_s * 1_000}-{level}", level, begin_s * 1_000, end_s * 1_000, "A man reads.")


def closed(query: str, asked_ms: int) -> Exchange:
    return Exchange(query, asked_ms, closed_ms=asked_ms + 1)


def test_a_summary_is_archived_with_pictures_from_the_parts_of_its_span() -> None:
    before = raw()
    after = replace(raw(8), memory=Memory((block(0, 8),)))
    (entry,) = archived(before, after)
    assert entry == ArchivedBlock(block(0, 8), (KeyFrame("f-2", 2_000), KeyFrame("f-6", 6_000)))
    assert key_frames([entry, closed("Who?", 0)]) == entry.frames
    assert len(entry.frames) == FRAMES_OF_A_SPAN


def test_a_late_summary_keeps_of_the_pictures_that_stood_for_it() -> None:
    span = Unwritten(0, 8_000, (ref(1), ref(3), ref(5), ref(7)), (1_000, 3_000, 5_000, 7_000), 1)
    before = replace(raw(8), memory=Memory(unwritten=(span,)))
    (entry,) = archived(before, replace(raw(16), memory=Memory((block(0, 8),))))
    assert key_frames([entry]) == (KeyFrame("f-3", 3_000), KeyFrame("f-7", 7_000))


def test_a_summary_is_archived_with_what_modules_noticed_in_its_span() -> None:
    told = replace(raw().chunk.turns[3], observed=("faces (face, 0.92): Anna is at the door",))
    later = replace(raw().chunk.turns[9], observed=("faces (face): Bob is at the door",))
    turns = (*raw().chunk.turns[:3], told, *raw().chunk.turns[4:9], later)
    before = replace(raw(), chunk=Chunk(1, (), turns))
    (entry,) = archived(before, replace(raw(8), memory=Memory((block(0, 8),))))
    assert isinstance(entry, ArchivedBlock)
    assert entry.observed == ("faces (face, 0.92) at 3.0 seconds: Anna is at the door",)


def test_a_late_summary_is_archived_with_what_its_span_kept_of_modules() -> None:
    span = Unwritten(0, 8_000, asked=1, observed=("faces (face) at 3.0 seconds: Anna is at the door",))
    before = replace(raw(8), memory=Memory(unwritten=(span,)))
    (entry,) = archived(before, replace(raw(16), memory=Memory((block(0, 8),))))
    assert isinstance(entry, ArchivedBlock)
    assert entry.observed == span.observed


def test_a_summary_whose_pictures_are_lost_is_archived_without() -> None:
    assert archived(SessionState(), SessionState(memory=Memory((block(0, 8),)))) == (ArchivedBlock(block(0, 8)),)


def test_mergers_are_not_archived_and_a_summary_is_archived_once() -> None:
    before = replace(raw(), memory=Memory((block(0, 8), block(8, 16))))
    assert archived(before, replace(before, memory=Memory((block(0, 16, level=1),)))) == ()
    assert archived(before, replace(before, next_sequence=11)) == ()


def test_an_exchange_is_archived_when_it_is_over_and_again_when_more_is_said() -> None:
    asked, other = Exchange("Who is there?", 3_000), closed("What is it?", 1_000)
    before = replace(raw(), dialogue=(other, asked))
    assert archived(replace(raw(), dialogue=(other,)), before) == (), "it is open"
    over = replace(asked, closed_ms=4_000)
    assert archived(before, replace(raw(), dialogue=(other, over))) == (over,)
    more = replace(over, closed_ms=5_000)
    assert archived(replace(raw(), dialogue=(other, over)), replace(raw(), dialogue=(other, more))) == (more,)


def test_an_exchange_that_leaves_the_dialogue_is_archived_however_far_it_is() -> None:
    delegated = Exchange("Whose coat is that?", 4_000, task=TASK)
    before = replace(raw(), dialogue=(delegated, closed("What is it?", 5_000)))
    assert archived(before, replace(raw(), dialogue=before.dialogue[1:])) == (delegated,)
