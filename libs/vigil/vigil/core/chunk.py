"""Where a chunk ends and the next one begins. Pure."""

from dataclasses import replace

from vigil.core.profile import PromptProfile
from vigil.core.prompt import chunk_prefix
from vigil.core.session import MAX_PICTURES, Chunk, SessionSpec, SessionState
from vigil.core.turn import Turn


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
    """The turns that go along raw into the next chunk when `left` more come, as far as they are there already. With
    many pictures a turn there are fewer of them, so that the next chunk takes turns for a while, too."""
    window, turns = spec.window, state.chunk.turns
    carried = turns[max(0, len(turns) + left - window.tail_turns) :]
    new_turns = window.chunk_turns - window.tail_turns
    most = max(MAX_PICTURES // 2, MAX_PICTURES - new_turns * _pictures(state))
    while sum(len(turn.frames) for turn in carried) > most:
        carried = carried[1:]
    return carried


def next_chunk(state: SessionState, profile: PromptProfile, carried: tuple[Turn, ...]) -> Chunk:
    """The chunk after this one: a prefix that restates what was said before the `carried` turns, then those turns."""
    first, since_ms = (state.next_sequence, state.last_time_ms + 1)
    if carried:
        first, since_ms = carried[0].sequence, carried[0].time_ms
    restated = tuple(instruction for instruction in state.instructions if instruction.given_at < first)
    earlier = tuple(exchange for exchange in state.dialogue if exchange.asked_ms < since_ms)
    prefix = chunk_prefix(profile, restated, earlier)
    return Chunk(state.chunk.number + 1, prefix, carried, began_at=state.next_sequence)


def start_over(profile: PromptProfile, state: SessionState) -> SessionState:
    """A new chunk without raw turns, for when their frames are lost everywhere: instructions and dialogue stay."""
    return replace(state, chunk=next_chunk(state, profile, ()))


def shorter(profile: PromptProfile, state: SessionState) -> tuple[SessionState, ...]:
    """States whose prompts are shorter, for an engine that refuses this one's: first without raw turns, then without
    the dialogue, too. Standing instructions stay."""
    states: list[SessionState] = []
    if state.chunk.turns:
        states.append(start_over(profile, state))
    if state.dialogue:
        states.append(start_over(profile, replace(state, dialogue=())))
    return tuple(states)


def _pictures(state: SessionState) -> int:
    """The pictures of the newest turn."""
    return len(state.chunk.turns[-1].frames) if state.chunk.turns else 0
