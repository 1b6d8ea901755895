"""Where a chunk ends and the next one begins. Pure."""

from dataclasses import replace

from vigil.core.profile import PromptProfile
from vigil.core.prompt import chunk_prefix
from vigil.core.session import Chunk, SessionSpec, SessionState
from vigil.core.turn import Turn


def tail(state: SessionState, spec: SessionSpec) -> tuple[Turn, ...]:
    """The turns of this chunk that go along raw into the next one, as far as they are there already."""
    return state.chunk.turns[spec.window.chunk_turns - spec.window.tail_turns :]


def next_chunk(state: SessionState, profile: PromptProfile, carried: tuple[Turn, ...]) -> Chunk:
    """The chunk after this one: a prefix that restates what was said before the `carried` turns, then those turns."""
    first, since_ms = (state.next_sequence, state.last_time_ms + 1)
    if carried:
        first, since_ms = carried[0].sequence, carried[0].time_ms
    restated = tuple(instruction for instruction in state.instructions if instruction.given_at < first)
    earlier = tuple(exchange for exchange in state.dialogue if exchange.asked_ms < since_ms)
    return Chunk(state.chunk.number + 1, chunk_prefix(profile, restated, earlier), carried)


def start_over(profile: PromptProfile, state: SessionState) -> SessionState:
    """A new chunk without raw turns, for when their frames are lost everywhere: instructions and dialogue stay."""
    return replace(state, chunk=next_chunk(state, profile, ()))


def make_way(profile: PromptProfile, state: SessionState) -> SessionState | None:
    """A state whose prompts are shorter, for an engine that refuses this one's for good: first without raw turns,
    then without the dialogue. None when nothing is left to leave out."""
    if state.chunk.turns:
        return start_over(profile, state)
    if state.dialogue:
        return start_over(profile, replace(state, dialogue=()))
    return None
