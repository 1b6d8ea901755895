"""What a turn moves from the prompt into the session's archive, to be recalled later. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from vigil.core.memory import Block, Memory
from vigil.core.observed import spread, timed
from vigil.core.session import SessionState
from vigil.core.task import KeyFrame
from vigil.core.turn import Exchange, ExchangeState
from vigil.runtime.store.memory_archive import ArchivedBlock

FRAMES_OF_A_SPAN = 2
_ON_THEIR_WAY = (ExchangeState.OPEN, ExchangeState.DELEGATED)


def archived(before: SessionState, after: SessionState) -> tuple[ArchivedBlock | Exchange, ...]:
    """The summaries that entered the state, with key frames of their spans, and the exchanges that were closed, have
    changed since, or left the dialogue."""
    return (*_blocks(before, after), *_exchanges(before.dialogue, after.dialogue))


def forgotten(state: SessionState) -> SessionState:
    """The state without what a reset forgets: nothing of it leaves for the archive."""
    return replace(state, memory=Memory(), dialogue=())


def key_frames(entries: Iterable[ArchivedBlock | Exchange]) -> tuple[KeyFrame, ...]:
    """The pictures that these entries keep."""
    return tuple(frame for entry in entries if isinstance(entry, ArchivedBlock) for frame in entry.frames)


def _blocks(before: SessionState, after: SessionState) -> Iterable[ArchivedBlock]:
    if before.memory is after.memory:  # as in nearly every turn
        return
    known = {block.id for block in before.memory.blocks}
    for block in after.memory.blocks:
        if block.level == 0 and block.id not in known:
            yield ArchivedBlock(block, _spread(_frames(before, block)), _observed(before, block))


def _frames(state: SessionState, block: Block) -> list[KeyFrame]:
    """The pictures of the block's span that the state still has, oldest first."""
    shown = [KeyFrame(frame.uuid, turn.time_ms) for turn in state.chunk.turns for frame in turn.frames]
    for span in state.memory.unwritten:
        shown += [KeyFrame(ref.uuid, time_ms) for ref, time_ms in zip(span.frames, span.times_ms, strict=True)]
    of_the_span = {frame.uuid: frame for frame in shown if block.from_ms <= frame.time_ms < block.to_ms}
    return sorted(of_the_span.values(), key=lambda frame: frame.time_ms)


def _observed(state: SessionState, block: Block) -> tuple[str, ...]:
    """What modules noticed in the block's span, as far as the state still has it."""
    turns = [turn for turn in state.chunk.turns if block.from_ms <= turn.time_ms < block.to_ms]
    waited = [line for span in state.memory.unwritten if span.id == block.id for line in span.observed]
    return spread(waited or timed(turns))


def _spread(frames: list[KeyFrame]) -> tuple[KeyFrame, ...]:
    """At most `FRAMES_OF_A_SPAN`, each from the middle of an equal part."""
    parts = min(FRAMES_OF_A_SPAN, len(frames))
    return tuple(frames[(2 * part + 1) * len(frames) // (2 * parts)] for part in range(parts))


def _exchanges(before: tuple[Exchange, ...], after: tuple[Exchange, ...]) -> Iterable[Exchange]:
    if before is after:
        return
    known = set(before)
    yield from (exchange for exchange in after if exchange not in known and exchange.state not in _ON_THEIR_WAY)
    asked = {(exchange.asked_ms, exchange.query) for exchange in after}
    yield from (exchange for exchange in before if (exchange.asked_ms, exchange.query) not in asked)
