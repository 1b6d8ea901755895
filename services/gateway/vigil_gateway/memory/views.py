"""A session's memory as a client is shown it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from vigil.core.memory import Block, MemoryLimits, Unwritten, tokens
from vigil.core.session import SessionSpec, SessionState
from vigil.core.task import KeyFrame
from vigil.runtime.store.memory_archive import Archive, field_of
from vigil.v1 import memory_pb2 as pb
from vigil_gateway.api.models.memory import (
    ArchivedOut,
    ArchivePage,
    BlockOut,
    MemoryFrameOut,
    MemoryOut,
    RecalledOut,
    RecallIn,
    RecallOut,
    TierOut,
    TiersOut,
    UnwrittenOut,
)
from vigil_gateway.api.models.options import MemoryGroup


@dataclass(frozen=True, slots=True)
class Clock:
    """When model time 0 was, in microseconds since the epoch; 0 while that is unknown."""

    origin_us: int

    def at(self, time_ms: int) -> datetime | None:
        """A model time as a moment; None while the clock is unknown."""
        return datetime.fromtimestamp(self.origin_us / 1e6 + time_ms / 1e3, UTC) if self.origin_us else None


def memory_out(spec: SessionSpec, state: SessionState, origin_us: int) -> MemoryOut:
    """All that stands in the prompt of the time before now."""
    memory, turns = state.memory, state.chunk.turns
    return MemoryOut(
        session=spec.session,
        settings=MemoryGroup.model_validate(spec.memory),
        time_s=None if state.last_time_ms < 0 else state.last_time_ms / 1_000,
        began_at=Clock(origin_us).at(0),
        forgotten_s=memory.forgotten_ms / 1_000,
        turns_from_s=turns[0].time_ms / 1_000 if turns else None,
        turns=len(turns),
        tiers=tiers_out(spec.memory, memory.blocks),
        blocks=[block_out(block) for block in memory.blocks],
        unwritten=[unwritten_out(spec.session, span) for span in memory.unwritten],
    )


def tiers_out(limits: MemoryLimits, blocks: Iterable[Block]) -> TiersOut:
    """How full the tiers are. The mid term has twice its blocks while a merger is not written yet."""
    found = tuple(blocks)
    mid = [block for block in found if block.level == 0]
    long = [block for block in found if block.level > 0]
    most = limits.most_mid_blocks
    return TiersOut(
        mid=_tier(mid, most, most * limits.block_tokens), long=_tier(long, limits.long_blocks, limits.long_tokens)
    )


def block_out(block: Block) -> BlockOut:
    """One block."""
    return BlockOut(
        id=block.id,
        level=block.level,
        from_s=block.from_ms / 1_000,
        to_s=block.to_ms / 1_000,
        tokens=tokens(block.text),
        text=block.text,
    )


def unwritten_out(session: str, span: Unwritten) -> UnwrittenOut:
    """One span that waits for its block."""
    shown = zip(span.frames, span.times_ms, strict=True)
    return UnwrittenOut(
        from_s=span.from_ms / 1_000,
        to_s=span.to_ms / 1_000,
        asked=span.asked,
        frames=[frame_out(session, frame.uuid, time_ms) for frame, time_ms in shown],
    )


def frame_out(session: str, uuid: str, time_ms: int | None) -> MemoryFrameOut:
    """A picture by reference."""
    path = f"/v1/sessions/{quote(session, safe='')}/memory/frames/{quote(uuid, safe='')}"
    return MemoryFrameOut(id=uuid, time_s=None if time_ms is None else time_ms / 1_000, path=path)


def archive_page(session: str, archive: Archive, before: str, limit: int) -> ArchivePage:
    """The newest entries before the one that is named. It need not be there any more: it says its time."""
    entries = sorted(_entries(session, archive), key=lambda entry: place_of(entry.id), reverse=True)
    if before:
        entries = [entry for entry in entries if place_of(entry.id) < place_of(before)]
    shown = entries[:limit]
    return ArchivePage(entries=shown, next=shown[-1].id if len(entries) > limit else None)


def place_of(entry: str) -> tuple[int, str]:
    """Where an entry stands among the others, by its id: its time, then all of it."""
    time_ms, _, _ = entry.partition("-")
    return int(time_ms) if time_ms.isdecimal() else 0, entry


def recall_out(session: str, asked: RecallIn, found: pb.RecallResponse, origin_us: int) -> RecallOut:
    """What was found about a question."""
    names_time = found.to_ms > found.from_ms
    return RecallOut(
        session=session,
        question=asked.question,
        from_s=found.from_ms / 1_000 if names_time else None,
        to_s=found.to_ms / 1_000 if names_time else None,
        lines=[_recalled(session, line, Clock(origin_us)) for line in found.lines],
    )


def _recalled(session: str, line: pb.RecalledLine, clock: Clock) -> RecalledOut:
    return RecalledOut(
        kind=line.kind,
        from_s=line.from_ms / 1_000,
        to_s=line.to_ms / 1_000,
        from_at=clock.at(line.from_ms),
        to_at=clock.at(line.to_ms),
        text=line.text,
        frames=[frame_out(session, uuid, None) for uuid in line.frame_ids],
    )


def _entries(session: str, archive: Archive) -> Iterable[ArchivedOut]:
    kept = {frame.uuid for frame in archive.key_frames}
    for archived in archive.blocks:
        yield ArchivedOut(
            id=field_of(archived),
            kind="block",
            from_s=archived.block.from_ms / 1_000,
            to_s=archived.block.to_ms / 1_000,
            question="",
            text=archived.block.text,
            observed=list(archived.observed),
            frames=_frames(session, archived.frames, kept),
        )
    for exchange in archive.exchanges:
        yield ArchivedOut(
            id=field_of(exchange),
            kind="exchange",
            from_s=exchange.asked_ms / 1_000,
            to_s=max(exchange.asked_ms, exchange.answered_ms) / 1_000,
            question=exchange.query,
            text=exchange.answer,
            observed=[],
            frames=[],
        )


def _frames(session: str, frames: Iterable[KeyFrame], kept: set[str]) -> list[MemoryFrameOut]:
    return [frame_out(session, frame.uuid, frame.time_ms) for frame in frames if frame.uuid in kept]


def _tier(blocks: list[Block], limit_blocks: int, limit_tokens: int) -> TierOut:
    return TierOut(
        blocks=len(blocks),
        tokens=sum(tokens(block.text) for block in blocks),
        limit_blocks=limit_blocks,
        limit_tokens=limit_tokens,
    )
