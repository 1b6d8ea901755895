"""Whether a session's longest prompt fits into the context of its model. Pure.

The sizes of chunk, memory and dialogue are all bounded, so this is known before the session begins. Words that the
model says within a chunk, standing instructions and what modules noticed (`observed.MAX_CHUNK_CHARS`) come on top: they
are few, and where they outgrow the context all the same the engine refuses the prompt and the history starts over.
"""

from dataclasses import dataclass

from vigil.core.errors import InvalidSpec
from vigil.core.memory import tokens
from vigil.core.profile import PromptProfile
from vigil.core.prompt import MAX_DIALOGUE_TOKENS, MEMORY_HEADER
from vigil.core.recall import MAX_CHARS
from vigil.core.session import CHUNK_TURNS, MAX_PICTURES, SessionSpec

TURN_TOKENS = 14  # of a silent turn besides its pictures: its time marker, the reply, the marks of two messages
PICTURE_MARKS = 2  # around each picture
SPAN_TOKENS = 20  # the line above a block or an unwritten span
_CHARS_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class PromptSize:
    """About how many tokens the longest prompt of a session has, by what they are of; `turn` is one turn. `rest` is the
    system message, what a question recalls, and the reply."""

    turns: int
    memory: int
    dialogue: int
    rest: int
    turn: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.turns + self.memory + self.dialogue + self.rest


def longest_prompt(spec: SessionSpec, profile: PromptProfile) -> PromptSize:
    """The prompt of a full chunk with full memory and dialogue, whose pictures have the profile's largest size."""
    limits = spec.memory
    picture = profile.max_pixels // profile.pixel_multiple**2 + PICTURE_MARKS
    turn = TURN_TOKENS + spec.cadence.frames_per_turn * picture
    shown = spec.window.chunk_turns * spec.cadence.frames_per_turn
    kept = min(limits.most_pictures, MAX_PICTURES - shown)
    spans = limits.most_mid_blocks + limits.long_blocks + (limits.most_pictures > 0)
    memory = limits.most_tokens + kept * picture + spans * SPAN_TOKENS + tokens(MEMORY_HEADER)
    recalled = -(-MAX_CHARS // _CHARS_PER_TOKEN)
    return PromptSize(
        turns=spec.window.chunk_turns * turn,
        memory=memory if limits.is_on else 0,
        dialogue=MAX_DIALOGUE_TOKENS,
        rest=tokens(profile.system) + profile.max_tokens + (recalled if limits.is_on else 0),
        turn=turn,
    )


def check_fits(spec: SessionSpec, profile: PromptProfile, context_tokens: int) -> None:
    """Raise `InvalidSpec`, which says what to lower, when the session's longest prompt is longer than the context of
    its model. A context of 0 is unknown: then nothing is checked."""
    size = longest_prompt(spec, profile)
    if not context_tokens or size.total <= context_tokens:
        return
    parts = f"{spec.window.chunk_turns} turns {size.turns:,}, dialogue {size.dialogue:,}, the rest {size.rest:,}"
    if spec.memory.is_on:
        parts = f"memory {size.memory:,}, {parts}"
    raise InvalidSpec(
        f"a full prompt of this session has about {size.total:,} tokens ({parts}), and the model {spec.model[:80]!r} "
        f"takes {context_tokens:,}: {_advice(spec, size, context_tokens)}"
    )


def _advice(spec: SessionSpec, size: PromptSize, context_tokens: int) -> str:
    turns = (context_tokens - size.total + size.turns) // size.turn
    advice = [f"lower window.chunk_turns to {turns} or less"] if turns >= CHUNK_TURNS.low else []
    if spec.cadence.frames_per_turn > 1:
        advice.append("lower cadence.frames_per_turn")
    if spec.memory.is_on:
        advice.append("lower memory.long_tokens, memory.block_tokens, memory.mid_blocks or memory.key_frames")
    advice.append("start the engine with a longer context (--max-model-len)")
    return ", or ".join(advice)
