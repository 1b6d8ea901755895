"""How memory grows coarser with age, so that a day of video stays within a fixed budget. Pure.

At a chunk boundary the turns that leave become unwritten spans (`departed`), written blocks take the place of what they
are about (`taken`), and whatever is still above the limits is made to fit without a summariser (`fitted`).
`due_merges` says what to merge next, before that is needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from vigil.core.memory import (
    MAX_UNWRITTEN,
    Block,
    Memory,
    MemoryLimits,
    Unwritten,
    block_id,
    clipped,
    plain_lines,
    tokens,
)
from vigil.core.observed import spread, timed
from vigil.core.turn import FrameRef, Turn

UNKNOWN = "Nothing is known of this time."
RESERVE_BLOCKS = 2  # the long term is merged so many blocks before it is full


@dataclass(frozen=True, slots=True)
class Taken:
    """Memory after written blocks were put in place. A `stale` block fits nowhere: its span is known already, or no
    part of memory begins and ends with it."""

    memory: Memory
    stale: tuple[Block, ...] = ()


def departed(memory: Memory, limits: MemoryLimits, leaving: Sequence[Turn], end_ms: int) -> Memory:
    """Memory after these turns left the prompt: their time up to `end_ms` is unwritten, in two spans where a summary of
    the first part was asked for ahead. Without memory that time is forgotten."""
    if not limits.is_on:
        return Memory(forgotten_ms=max(end_ms, memory.end_ms))
    spans: list[Unwritten] = []
    asked = [turn for turn in leaving if turn.time_ms < memory.asked_ms]
    since_ms = memory.end_ms
    if asked:
        since_ms = memory.asked_ms
        spans.append(_span(memory.end_ms, since_ms, asked, limits.key_frames, asked=1))
    rest = [turn for turn in leaving if turn.time_ms >= since_ms]
    if rest and end_ms > since_ms:
        spans.append(_span(since_ms, end_ms, rest, limits.key_frames))
    return replace(memory, unwritten=(*memory.unwritten, *spans), asked_ms=-1)


def taken(memory: Memory, limits: MemoryLimits, blocks: Sequence[Block]) -> Taken:
    """Put written blocks in place: a summary where its span is unwritten, a merged block where its span is exactly that
    of neighbouring blocks of lower levels."""
    stale: list[Block] = []
    for block in sorted(blocks, key=lambda block: (block.level, block.from_ms)):
        text = clipped(plain_lines(block.text), limits.block_tokens)
        placed = _placed(memory, replace(block, text=text)) if text else None
        if placed is None:
            stale.append(block)
        else:
            memory = placed
    return Taken(memory, tuple(stale))


def fitted(memory: Memory, limits: MemoryLimits) -> Memory:
    """Memory within its limits. Neighbouring blocks whose merger is late are joined by their first sentences, and
    unwritten spans by their pictures, so that no time is without memory."""
    while len(memory.unwritten) > MAX_UNWRITTEN:
        memory = _with_fewer_spans(memory, limits.key_frames)
    while (pair := _surplus(memory.blocks, limits)) is not None:
        memory = _merged(memory, pair, _joined(*pair, limits.block_tokens))
    return memory


def due_merges(memory: Memory, limits: MemoryLimits) -> tuple[tuple[Block, ...], ...]:
    """The neighbouring blocks that are to become one each, no block in two groups: the oldest of a level that has too
    many, and two of the long term before it is full."""
    groups: list[tuple[Block, ...]] = []
    for level in sorted({block.level for block in memory.blocks}):
        group = _overflow(memory.blocks, level, limits.mid_blocks)
        if group and not any(set(group) & set(other) for other in groups):
            groups.append(group)
    asked = {block for group in groups for block in group}
    long = long_term(memory.blocks)
    is_nearly_full = (
        sum(tokens(block.text) for block in long) > limits.long_tokens - RESERVE_BLOCKS * limits.block_tokens
        or len(long) > limits.long_blocks - RESERVE_BLOCKS
    )
    if is_nearly_full:
        pair = _lowest(_pairs(memory.blocks), lambda pair: all(block.level and block not in asked for block in pair))
        groups += [pair] if pair else []
    return tuple(groups)


def merged_level(blocks: Sequence[Block]) -> int:
    """The level of the block that these become."""
    return max(block.level for block in blocks) + 1


def mid_term(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The summaries, which were merged with nothing yet."""
    return tuple(block for block in blocks if block.level == 0)


def long_term(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The merged blocks."""
    return tuple(block for block in blocks if block.level > 0)


def evenly(turns: Sequence[Turn], most: int) -> list[tuple[FrameRef, int]]:
    """At most so many pictures of these turns with their times, spread evenly. Of neighbours the one with the most
    pixels is taken: in a still scene most pictures are thumbnails."""
    shown = [turn for turn in turns if turn.frames]
    count = min(most, len(shown))
    edges = [round(place * len(shown) / count) for place in range(count + 1)] if count else []
    best = [max(shown[low:high], key=_pixels) for low, high in pairwise(edges)]
    return [(turn.frames[-1], turn.time_ms) for turn in best]


def _pixels(turn: Turn) -> int:
    return turn.frames[-1].width * turn.frames[-1].height


def _span(from_ms: int, to_ms: int, turns: Sequence[Turn], most: int, asked: int = 0) -> Unwritten:
    pictures = evenly(turns, most)
    refs, times = tuple(ref for ref, _ in pictures), tuple(at for _, at in pictures)
    return Unwritten(from_ms, to_ms, refs, times, asked, spread(timed(turns)))


def _placed(memory: Memory, block: Block) -> Memory | None:
    """Memory with this block in it; None where it fits nowhere."""
    if block.level == 0:
        waiting = tuple(span for span in memory.unwritten if span.id != block.id)
        if len(waiting) == len(memory.unwritten):
            return None
        blocks = sorted((*memory.blocks, block), key=lambda block: block.from_ms)
        return replace(memory, blocks=tuple(blocks), unwritten=waiting)
    group = tuple(known for known in memory.blocks if block.from_ms <= known.from_ms and known.to_ms <= block.to_ms)
    if len(group) < 2 or (group[0].from_ms, group[-1].to_ms) != (block.from_ms, block.to_ms):
        return None
    if merged_level(group) != block.level or not all(_touch(*pair) for pair in pairwise(group)):
        return None
    return _merged(memory, group, block)


def _merged(memory: Memory, group: Sequence[Block], block: Block) -> Memory:
    place = memory.blocks.index(group[0])
    return replace(memory, blocks=(*memory.blocks[:place], block, *memory.blocks[place + len(group) :]))


def _touch(first: Block, second: Block) -> bool:
    return first.to_ms == second.from_ms


def _pairs(blocks: Sequence[Block]) -> list[tuple[Block, Block]]:
    """The neighbours that no unwritten span parts."""
    return [pair for pair in pairwise(blocks) if _touch(*pair)]


def _lowest(
    pairs: Sequence[tuple[Block, Block]], allowed: Callable[[tuple[Block, Block]], bool]
) -> tuple[Block, Block] | None:
    """The oldest of the allowed pairs with the lowest sum of levels: what was merged least is merged next."""
    return min(filter(allowed, pairs), key=lambda pair: pair[0].level + pair[1].level, default=None)


def _overflow(blocks: Sequence[Block], level: int, most: int) -> tuple[Block, ...]:
    """The oldest neighbours of a level that has more than `most` blocks; empty for none. Late summaries may stand alone
    among coarser blocks: then these go along."""
    if sum(block.level == level for block in blocks) <= most:
        return ()
    for ceiling in sorted({block.level for block in blocks if block.level >= level}):
        for run in _runs(blocks, ceiling):
            if len(run) > 1 and any(block.level == level for block in run):
                return run[:most]
    return ()


def _runs(blocks: Sequence[Block], ceiling: int) -> list[tuple[Block, ...]]:
    """The neighbours whose level is at most `ceiling`, as long as they touch."""
    runs: list[tuple[Block, ...]] = []
    for block in blocks:
        if block.level > ceiling:
            continue
        if runs and _touch(runs[-1][-1], block):
            runs[-1] = (*runs[-1], block)
        else:
            runs.append((block,))
    return runs


def _surplus(blocks: Sequence[Block], limits: MemoryLimits) -> tuple[Block, Block] | None:
    """The pair that must be joined at once; None within the limits."""
    pairs, long = _pairs(blocks), long_term(blocks)
    if len(blocks) - len(long) > limits.most_mid_blocks:
        both = _lowest(pairs, lambda pair: pair[0].level == pair[1].level == 0)
        return both or _lowest(pairs, lambda pair: 0 in (pair[0].level, pair[1].level))
    if len(long) > limits.long_blocks or sum(tokens(block.text) for block in long) > limits.long_tokens:
        both = _lowest(pairs, lambda pair: bool(pair[0].level and pair[1].level))
        return both or _lowest(pairs, lambda pair: bool(pair[0].level or pair[1].level))
    return None


def _joined(first: Block, second: Block, most: int) -> Block:
    """Two blocks as one without a summariser: the first sentences of each."""
    half = max(most // 2, most - tokens(second.text) - 1)
    earlier = clipped(first.text, half)
    later = clipped(second.text, most - tokens(earlier) - 1)
    text = clipped("\n".join(filter(None, (earlier, later))), most)
    level = merged_level((first, second))
    return Block(block_id(first.from_ms, second.to_ms, level), level, first.from_ms, second.to_ms, text)


def _with_fewer_spans(memory: Memory, most: int) -> Memory:
    """One unwritten span less: the two shortest neighbours become one. Where blocks part all of them, nothing is known
    of the oldest. The newest span stays as it is, for its block may be on its way."""
    spans = memory.unwritten
    touching = [place for place in range(len(spans) - 2) if spans[place].to_ms == spans[place + 1].from_ms]
    place = min(touching, key=lambda place: spans[place + 1].to_ms - spans[place].from_ms, default=-1)
    if place < 0:
        oldest = spans[0]
        unknown = Block(oldest.id, 0, oldest.from_ms, oldest.to_ms, UNKNOWN)
        blocks = sorted((*memory.blocks, unknown), key=lambda block: block.from_ms)
        return replace(memory, blocks=tuple(blocks), unwritten=spans[1:])
    both = _both(spans[place], spans[place + 1], most)
    return replace(memory, unwritten=(*spans[:place], both, *spans[place + 2 :]))


def _both(first: Unwritten, second: Unwritten, most: int) -> Unwritten:
    pictures = list(zip((*first.frames, *second.frames), (*first.times_ms, *second.times_ms), strict=True))
    step = max(1, -(-len(pictures) // most)) if most else 1
    kept = pictures[::step] if most else []
    refs, times = tuple(ref for ref, _ in kept), tuple(at for _, at in kept)
    observed = spread((*first.observed, *second.observed))
    return Unwritten(first.from_ms, second.to_ms, refs, times, observed=observed)
