"""Where a chunk ends and the next one begins. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigil.core.memory import Block, Memory, Unwritten
from vigil.core.profile import PromptProfile
from vigil.core.prompt import chunk_prefix
from vigil.core.pyramid import departed, fitted, taken
from vigil.core.session import MAX_PICTURES, Chunk, SessionSpec, SessionState
from vigil.core.turn import Turn


@dataclass(frozen=True, slots=True)
class Boundary:
    """A session at a boundary. `state` has the memory of the coming chunk, but not the chunk. `stale` blocks fitted
    nowhere; `again` are the spans whose summary is to be asked for, for the first time or once more."""

    state: SessionState
    stale: tuple[Block, ...] = ()
    again: tuple[Unwritten, ...] = ()


def is_full(state: SessionState, spec: SessionSpec, pictures: int) -> bool:
    """Whether a turn of so many pictures belongs to the next chunk: this one has all of its turns, or would have more
    pictures than an engine takes in one prompt."""
    turns = state.chunk.turns
    return len(turns) >= spec.window.chunk_turns or (bool(turns) and len(state.chunk.frames) + pictures > MAX_PICTURES)


def turns_left(state: SessionState, spec: SessionSpec) -> int:
    """The turns that the chunk still takes when they have as many pictures as the newest one."""
    left = spec.window.chunk_turns - len(state.chunk.turns)
    each = _pictures(state)
    return min(left, (MAX_PICTURES - len(state.chunk.frames)) // each) if each else left


def tail(state: SessionState, spec: SessionSpec, left: int) -> tuple[Turn, ...]:
    """The turns that go along raw into the next chunk when `left` more come, as far as they are there already: those
    whose summary was not asked for ahead, else the last ones. With many pictures a turn there are fewer of them, so
    that the next chunk takes turns for a while, too."""
    window, turns, asked_ms = spec.window, state.chunk.turns, state.memory.asked_ms
    if asked_ms >= 0:
        carried = tuple(turn for turn in turns if turn.time_ms >= asked_ms)
    else:
        carried = turns[max(0, len(turns) + left - window.tail_turns) :]
    new_turns = window.chunk_turns - window.tail_turns
    room = MAX_PICTURES - spec.memory.most_pictures
    most = max(room // 2, room - new_turns * _pictures(state))
    while sum(len(turn.frames) for turn in carried) > most:
        carried = carried[1:]
    return carried


def boundary(spec: SessionSpec, state: SessionState, carried: Sequence[Turn], blocks: Sequence[Block] = ()) -> Boundary:
    """The session when all turns but `carried` leave its prompt, and written `blocks` enter its memory."""
    leaving = state.chunk.turns[: len(state.chunk.turns) - len(carried)]
    end_ms = carried[0].time_ms if carried else state.last_time_ms + 1
    grown = departed(state.memory, spec.memory, leaving, end_ms)
    placed = taken(grown, spec.memory, blocks)
    memory = fitted(placed.memory, spec.memory)
    known = set(state.memory.unwritten)
    again = tuple(span for span in memory.unwritten if span in known or not span.asked)
    unwritten = tuple(replace(span, asked=span.asked + (span in again)) for span in memory.unwritten)
    return Boundary(replace(state, memory=replace(memory, unwritten=unwritten)), placed.stale, again)


def next_chunk(spec: SessionSpec, profile: PromptProfile, state: SessionState, carried: tuple[Turn, ...]) -> Chunk:
    """The chunk after this one, for a state with the memory that it will have: a prefix that restates what was seen
    and said before the `carried` turns, then those turns."""
    first, since_ms = (state.next_sequence, state.last_time_ms + 1)
    if carried:
        first, since_ms = carried[0].sequence, carried[0].time_ms
    restated = tuple(instruction for instruction in state.instructions if instruction.given_at < first)
    earlier = tuple(exchange for exchange in state.dialogue if exchange.asked_ms < since_ms)
    prefix = chunk_prefix(profile, restated, earlier, state.memory, spec.cadence.interval_ms)
    return Chunk(state.chunk.number + 1, prefix, carried, began_at=state.next_sequence)


def start_over(spec: SessionSpec, profile: PromptProfile, state: SessionState) -> SessionState:
    """A new chunk without any picture, for when they are lost everywhere: instructions, dialogue and the text of memory
    stay."""
    state = boundary(spec, state, ()).state
    unpictured = tuple(replace(span, frames=(), times_ms=()) for span in state.memory.unwritten)
    state = replace(state, memory=replace(state.memory, unwritten=unpictured))
    return replace(state, chunk=next_chunk(spec, profile, state, ()))


def shorter(spec: SessionSpec, profile: PromptProfile, state: SessionState) -> tuple[SessionState, ...]:
    """States whose prompts are shorter, for an engine that refuses this one's: first without pictures of the past, then
    without the dialogue, too, then without memory. Standing instructions stay."""
    states: list[SessionState] = []
    if state.chunk.turns or state.memory.pictures:
        states.append(start_over(spec, profile, state))
    if state.dialogue:
        states.append(start_over(spec, profile, replace(state, dialogue=())))
    if state.memory.blocks:
        forgetful = replace(state, dialogue=(), memory=forgotten(state), chunk=replace(state.chunk, turns=()))
        states.append(start_over(spec, profile, forgetful))
    return tuple(states)


def forgotten(state: SessionState) -> Memory:
    """The memory of a session that forgets all it has seen."""
    return Memory(forgotten_ms=state.last_time_ms + 1)


def _pictures(state: SessionState) -> int:
    """The pictures of the newest turn."""
    return len(state.chunk.turns[-1].frames) if state.chunk.turns else 0
