"""Pre-warm: what the engine should have read before a chunk begins, so that its first turn is as fast as any other
(design §5).

At a boundary the prefix and the carried turns stand at positions where the engine has never seen them, so it computes
all of them anew. Some turns ahead the prefix is known word for word, unless a client says something more. The carried
turns are known only when the chunk is full. So there are two rounds: the first `lead_turns` ahead, with what is known
by then (most of it when the prefix is long), and the second when the chunk is full, with everything. The second round
finds the first in the engine's cache, and so costs the carried turns alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from vigil.core.chunk import boundary, next_chunk, tail, turns_left
from vigil.core.memory import Block
from vigil.core.message import Message
from vigil.core.profile import PromptProfile
from vigil.core.prompt import opening
from vigil.core.session import SessionSpec, SessionState

DEFAULT_LEAD_TURNS = 10


@dataclass(frozen=True, slots=True)
class Warm:
    """One round for chunk number `chunk`: the chunk's first prompt will begin with `messages`. The `last` round has all
    of the carried turns."""

    chunk: int
    messages: tuple[Message, ...]
    last: bool


def warm(
    spec: SessionSpec,
    profile: PromptProfile,
    state: SessionState,
    before: Warm | None,
    lead_turns: int,
    blocks: Sequence[Block] = (),
) -> Warm | None:
    """What to warm after the turn that made `state`, when `before` was warmed last. None when there is nothing to do.

    `lead_turns` of 0 never warms. `blocks` are written and wait for the boundary. While it is not known yet which turns
    will leave, because their summary was not asked for ahead, there is no first round.
    """
    left = turns_left(state, spec)
    if left > lead_turns or lead_turns == 0 or not state.chunk.turns:
        return None
    if left > 0 and spec.memory.is_on and state.memory.asked_ms < 0:
        return None
    carried = tail(state, spec, left)
    coming = next_chunk(spec, profile, boundary(spec, state, carried, blocks).state, carried)
    done = before if before is not None and before.chunk == coming.number else None
    if done is not None and (done.last or left > 0):
        return None
    messages = opening(profile, coming)
    if len(messages) < 2:  # the system text stands in every prompt of every session: it is warm
        return None
    return Warm(coming.number, messages, last=left == 0) if done is None or done.messages != messages else None
