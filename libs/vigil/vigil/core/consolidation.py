"""What a session asks the memory service for, and when. Pure.

The summary of a chunk is asked for some turns ahead of the boundary, once. The turns from there on go along raw into
the next chunk, so that nothing is summarised twice or never. Everything else is asked for by the first turn of a chunk:
mergers, and summaries that did not come within a whole chunk. Memory changes at boundaries only, so each is asked for
once a chunk.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vigil.core.chunk import turns_left
from vigil.core.control import parse
from vigil.core.memory import (
    MAX_REQUEST_FRAMES,
    Block,
    MemoryRequest,
    RequestKind,
    Unwritten,
    block_id,
)
from vigil.core.observed import spread, timed
from vigil.core.pyramid import due_merges, evenly, merged_level
from vigil.core.session import SessionSpec, SessionState
from vigil.core.task import KeyFrame
from vigil.core.turn import Reply, Turn

DEFAULT_LEAD_TURNS = 20
MAX_TTL_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Asking:
    """When a turn asks: `lead_turns` ahead of a boundary, at `now_us` (microseconds since the epoch)."""

    lead_turns: int = 0
    now_us: int = 0


def ahead(spec: SessionSpec, state: SessionState, asking: Asking) -> tuple[SessionState, tuple[MemoryRequest, ...]]:
    """Ask for the summary of the turns that will leave at the coming boundary, when that is near. `state` is the one
    after a turn. The state returned knows that it was asked for."""
    left, turns, memory = turns_left(state, spec), state.chunk.turns, state.memory
    if not spec.memory.is_on or memory.asked_ms >= 0 or not turns or left > _lead(spec, asking.lead_turns):
        return state, ()
    leaving = turns[: min(len(turns) - (left > 0), len(turns) + left - spec.window.tail_turns)]
    if not leaving:
        return state, ()
    end_ms = turns[len(leaving)].time_ms if len(leaving) < len(turns) else state.last_time_ms + 1
    request = replace(
        _request(spec, state, RequestKind.SUMMARY, 0, memory.end_ms, end_ms, asking.now_us),
        frames=tuple(KeyFrame(ref.uuid, at_ms) for ref, at_ms in evenly(leaving, MAX_REQUEST_FRAMES)),
        replies=_replies(leaving),
        asked=tuple(f"{turn.time_ms / 1000:.1f} seconds: {line}" for turn in leaving for line in turn.queries),
        observed=spread(timed(leaving)),
    )
    return replace(state, memory=replace(memory, asked_ms=end_ms)), (request,)


def at_boundary(
    spec: SessionSpec, state: SessionState, again: Sequence[Unwritten], now_us: int
) -> tuple[MemoryRequest, ...]:
    """What the first turn of a chunk asks for: the summaries of `again`, from their pictures, and due mergers."""
    if not spec.memory.is_on:
        return ()
    summaries = (_again(spec, state, span, now_us) for span in again if span.frames)
    return (*summaries, *(_merge(spec, state, group, now_us) for group in due_merges(state.memory, spec.memory)))


def _lead(spec: SessionSpec, lead_turns: int) -> int:
    """The turns ahead of a boundary. What comes after goes along raw, so it is at most half of a chunk, or the tail."""
    window = spec.window
    return min(lead_turns, max(0, window.tail_turns - 1, window.chunk_turns // 2 - 1))


def _again(spec: SessionSpec, state: SessionState, span: Unwritten, now_us: int) -> MemoryRequest:
    request = _request(spec, state, RequestKind.SUMMARY, 0, span.from_ms, span.to_ms, now_us)
    pictures = zip(span.frames, span.times_ms, strict=True)
    exchanges = [exchange for exchange in state.dialogue if span.from_ms <= exchange.asked_ms < span.to_ms]
    return replace(
        request,
        frames=tuple(KeyFrame(ref.uuid, at_ms) for ref, at_ms in pictures),
        asked=tuple(f"{exchange.asked_ms / 1000:.1f} seconds: {exchange.query}" for exchange in exchanges),
        observed=span.observed,
    )


def _merge(spec: SessionSpec, state: SessionState, group: tuple[Block, ...], now_us: int) -> MemoryRequest:
    level, from_ms, to_ms = merged_level(group), group[0].from_ms, group[-1].to_ms
    return replace(_request(spec, state, RequestKind.MERGE, level, from_ms, to_ms, now_us), blocks=group)


def _request(
    spec: SessionSpec, state: SessionState, kind: RequestKind, level: int, from_ms: int, to_ms: int, now_us: int
) -> MemoryRequest:
    interval_us = spec.cadence.interval_ms * 1_000
    due_us = now_us + turns_left(state, spec) * interval_us
    before = [block.text for block in state.memory.blocks if block.to_ms <= from_ms]
    return MemoryRequest(
        kind=kind,
        tenant=spec.tenant,
        session=spec.session,
        source_id=spec.source.id,
        id=block_id(from_ms, to_ms, level),
        level=level,
        from_ms=from_ms,
        to_ms=to_ms,
        profile=spec.profile,
        model=spec.model,
        instructions=tuple(instruction.text for instruction in state.instructions),
        before=before[-1] if before else "",
        max_tokens=spec.memory.block_tokens,
        due_us=due_us,
        requested_at_us=now_us,
        ttl_s=min(MAX_TTL_S, (due_us - now_us + spec.window.chunk_turns * interval_us) / 1e6),
    )


def _replies(turns: Sequence[Turn]) -> tuple[Reply, ...]:
    said = ((turn.time_ms, parse(turn.reply).text) for turn in turns)
    return tuple(Reply(time_ms, text) for time_ms, text in said if text)
