"""Pre-warm: what the engine should have read before a chunk begins, so that its first turn is as fast as any other
(design §5).

At a boundary the prefix and the carried turns stand at positions where the engine has never seen them, so it computes
all of them anew. Some turns ahead the prefix is known word for word, unless a client says something more, and of the
carried turns all but those that are still to come. So it is shown in rounds: the first `lead_turns` ahead, then
whenever half of the turns that were left then have passed, and the last when the chunk is full. Each round finds the
one before in the engine's cache and costs only the turns since. So what is left for the last second is one turn, also
where many sessions come to their boundaries together.
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
    """One round for chunk number `chunk`, `left` turns before it: its first prompt will begin with `messages`."""

    chunk: int
    messages: tuple[Message, ...]
    left: int


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
    if done is not None and (done.left == 0 or left > done.left // 2):
        return None
    messages = opening(profile, coming)
    if len(messages) < 2:  # the system text stands in every prompt of every session: it is warm
        return None
    return Warm(coming.number, messages, left) if done is None or done.messages != messages else None
