"""A commit as the arguments of `commit.lua`."""

from collections.abc import Sequence
from typing import Any

from vigil.core.session import SessionState
from vigil.runtime.store import record, state_parts
from vigil.runtime.store.bounds import (
    MAX_ARCHIVE,
    MAX_ARCHIVE_BYTES,
    MAX_FRAMES,
    MAX_KEY_FRAMES,
    MAX_LOG,
    MAX_OUTBOX,
)
from vigil.runtime.store.keys import Part
from vigil.runtime.store.memory_archive import field_of, frame_field
from vigil.runtime.store.record import Commit


def commit_arguments(fence: int, commit: Commit) -> list[Any]:
    """The arguments of `commit.lua`, in its order."""
    state = commit.state
    turns = state.chunk.turns if commit.restart else tuple(turn for turn in (commit.turn,) if turn is not None)
    parts = state_parts.encode_parts(state, commit.before)
    kept = _kept(state) if commit.restart else ()
    return [
        fence,
        commit.id,
        commit.after,
        int(commit.restart),
        commit.published,
        commit.consumed,
        commit.consumed_results,
        MAX_OUTBOX,
        MAX_FRAMES,
        MAX_LOG,
        record.logged(commit.turn) if commit.turn is not None else b"",
        commit.consumed_blocks,
        int(commit.forgets),
        MAX_ARCHIVE,
        MAX_ARCHIVE_BYTES,
        MAX_KEY_FRAMES,
        *_counted([piece for part, data in parts.items() for piece in (place(part), data)]),
        *_counted([record.encode(turn) for turn in turns]),
        *_counted(sorted(kept)),
        *_counted([piece for frame in commit.frames for piece in frame]),
        *_counted([record.encode_outgoing(message) for message in commit.outgoing]),
        *_counted([piece for entry in commit.archived for piece in (field_of(entry), record.encode_numbered(entry))]),
        *_counted([piece for frame in commit.key_frames for piece in (frame.uuid, frame_field(frame))]),
    ]


def place(part: Part) -> int:
    """Where a script finds the part's key."""
    return list(Part).index(part) + 1


def _kept(state: SessionState) -> set[str]:
    """The frames that a new chunk still needs: those that it shows, and those of spans that are not summarised yet."""
    waiting = (frame for span in state.memory.unwritten for frame in span.frames)
    return {frame.uuid for frame in (*state.chunk.frames, *waiting)}


def _counted(items: Sequence[Any]) -> list[Any]:
    return [len(items), *items]
